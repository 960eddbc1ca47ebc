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
  package let hint: String?

  package init(_ code: Code, _ message: String, detail: String? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.detail = detail
    self.hint = hint
  }

  package var description: String {
    [message, detail.map { "DETAIL: \($0)" }, hint.map { "HINT: \($0)" }]
      .compactMap(\.self)
      .joined(separator: "\n")
  }
}
