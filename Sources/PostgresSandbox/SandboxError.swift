/// An error of the sandbox, for people: a message, and a detail and a hint if there are any.
package struct SandboxError: Error, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case binariesMissing
    case commandNotFound
    case directoryUnusable
    case notASandbox
    case notRunning
    case startFailed
    case stopFailed
    case versionMismatch
  }

  package let code: Code
  package let message: String
  package let detail: String?
  package let hint: SandboxHint?

  package init(_ code: Code, _ message: String, detail: String? = nil, hint: SandboxHint? = nil) {
    self.code = code
    self.message = message
    self.detail = detail
    self.hint = hint
  }

  package var description: String {
    [message, detail.map { "DETAIL: \($0)" }, hint.map { "HINT: \($0.description)" }]
      .compactMap(\.self)
      .joined(separator: "\n")
  }
}

/// What to do about it. A program that has a command for it says so in its own words.
package enum SandboxHint: Equatable, Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
  case text(String)
  /// Start the sandbox.
  case start
  /// Install this major version of PostgreSQL, or empty the sandbox.
  case installOrReset(majorVersion: String)
  case nameFolder
  /// Choose a folder that the user who runs the server can reach.
  case chooseReachableFolder
  case removeOrChooseFolder

  package init(stringLiteral text: String) { self = .text(text) }

  package var description: String {
    switch self {
    case .text(let text): text
    case .start: "Start it."
    case .installOrReset(let version): "Install PostgreSQL \(version), or empty the sandbox."
    case .nameFolder: "Name one."
    case .chooseReachableFolder: "Choose a folder that this user can reach."
    case .removeOrChooseFolder: "Remove it, or choose another folder."
    }
  }
}
