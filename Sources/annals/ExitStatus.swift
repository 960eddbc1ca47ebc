internal import EventStore
internal import PostgresSandbox

/// The exit statuses that scripts rely on; the manual lists them under EXIT STATUS.
enum ExitStatus: Int32, CaseIterable {
  case done = 0
  case failure = 1
  /// The command ran well, and found something or left work pending.
  case findings = 2
  case versionConflict = 3
  case notFound = 4
  /// Some of the work was set aside.
  case partlyDone = 5
  // From here on with the names of sysexits.h.
  case usage = 64
  case badInput = 65
  case cannotConnect = 69
  case locked = 75
  case noPermission = 77
  case badDefinition = 78
  /// As in a shell: the command for `sandbox exec` does not exist.
  case commandNotFound = 127
  case interrupted = 130
  case brokenPipe = 141
  case terminated = 143

  /// The meaning of 3 for monitoring plug-ins, in `check`, which has no version conflicts.
  static let unknown = versionConflict

  init(_ code: EventStoreError.Code) {
    switch code {
    case .cannotConnect, .noSession: self = .cannotConnect
    case .versionConflict: self = .versionConflict
    case .checkpointAhead: self = .findings
    case .notFound: self = .notFound
    case .invalidInput: self = .badInput
    case .invalidDefinition: self = .badDefinition
    case .locked, .stale, .recoveryConflict: self = .locked
    case .permissionDenied: self = .noPermission
    default: self = .failure
    }
  }

  init(_ code: SandboxError.Code) {
    switch code {
    case .binariesMissing, .notRunning: self = .cannotConnect
    case .commandNotFound: self = .commandNotFound
    case .directoryUnusable, .notASandbox, .startFailed, .stopFailed, .versionMismatch: self = .failure
    }
  }
}

/// Ends a command that ran well with a status other than 0; everything has been printed already.
struct EndWithStatus: Error {
  let status: ExitStatus
}

extension EventStore {
  /// Ends a command that has shown events with payloads that could not be read.
  func requireReadable() async throws {
    let count = unreadableEvents
    guard count > 0 else { return }
    StandardError.warn("\(count) \(count == 1 ? "event has" : "events have") a payload that cannot be read")
    throw EndWithStatus(status: .partlyDone)
  }
}
