internal import Glibc
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// A program in which people at a terminal read long output, as with git and psql. It starts with the first output, so
/// that a command that fails before shows only its error.
final class Pager: Sendable {
  private struct State {
    var input: FileDescriptor?
    var process: Task<TerminationStatus, any Error>?
    /// Whether its reader has left.
    var isClosed = false
  }

  private let command: String
  /// Whether it can scroll sideways to the rest of a long line.
  let scrollsSideways: Bool
  private let state = Mutex(State())
  private let child = ChildProcess()

  private init(_ command: String) {
    self.command = command
    scrollsSideways = Self.scrollsSideways(command, less: CLibrary.environment("LESS"))
  }

  /// Shows what `body` writes to standard output in the operator's pager, if there is a pager and a terminal.
  static func show(_ body: () async throws -> Void) async throws {
    guard let command = chosenCommand else { return try await body() }
    let pager = Pager(command)
    // Then a failed write shows that the pager was left.
    signal(SIGPIPE, SIG_IGN)
    StandardOutput.divert(to: pager)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    StandardOutput.flush()
    StandardOutput.divert(to: nil)
    let wasLeft = try await pager.finish()
    if !wasLeft || Interruption.status == .terminated { try result.get() }
  }

  /// A line for `sh -c`; nil if no pager is used.
  private static var chosenCommand: String? {
    guard StandardOutput.isTerminal, Terminal.canMoveCursor else { return nil }
    for name in ["ANNALS_PAGER", "PAGER"] {
      guard let command = CLibrary.environment(name, orEmpty: true) else { continue }
      let words = command.unicodeScalars.split(separator: " ").map(String.init)
      return words.isEmpty || words == ["cat"] ? nil : command
    }
    return standard
  }

  private static let standard = "if command -v less >/dev/null; then exec less; else exec cat; fi"

  /// Whether a command is less, with `-S` in its own options or in the variable LESS.
  static func scrollsSideways(_ command: String, less variable: String?) -> Bool {
    let words = command.unicodeScalars.split(separator: " ").map(String.init)
    let program = words.first?.unicodeScalars.split(separator: "/").last.map(String.init)
    guard command == standard || program == "less" else { return false }
    let options = (variable ?? "").unicodeScalars.split(separator: " ").map(String.init)
    // The first options of the variable need no hyphen.
    return (options.first.map(chopsLines) ?? false)
      || (options + words.dropFirst()).reduce(false) {
        $0 || $1.utf8.first == UInt8(ascii: "-") && chopsLines($1)
      }
  }

  private static func chopsLines(_ option: String) -> Bool {
    if option.utf8.starts(with: "--".utf8) { return option.utf8.elementsEqual("--chop-long-lines".utf8) }
    // After these letters comes their value.
    return option.unicodeScalars.prefix { !"bDhjkKoOpPtTxyz#+".unicodeScalars.contains($0) }.contains("S")
  }

  /// Writes to the pager; output after it was left is dropped.
  func write(_ bytes: [UInt8]) throws {
    guard let input = try openInput() else { return }
    do {
      _ = try input.writeAll(bytes)
    } catch Errno.brokenPipe {
      state.withLock { $0.isClosed = true }
      Interruption.cancelWork()
    }
  }

  private func openInput() throws -> FileDescriptor? {
    try state.withLock { state in
      if state.isClosed { return nil }
      if let input = state.input { return input }
      let (output, input) = try FileDescriptor.pipe(options: .closeOnExec)
      state.input = input
      state.process = Task { try await self.run(reading: output) }
      Interruption.waitForChild(child.forward)
      return input
    }
  }

  private func run(reading output: FileDescriptor) async throws -> TerminationStatus {
    // The options that git gives less: exit at once if everything fits, show colours, leave the text on the screen. The
    // output is UTF-8 in any locale; without this, less shows bytes if there is no locale.
    let wanted: [(name: String, value: String)] = [("LESS", "FRX"), ("LESSCHARSET", "utf-8")]
    var defaults: [Environment.Key: String?] = [:]
    for (name, value) in wanted where CLibrary.environment(name, orEmpty: true) == nil {
      defaults[Environment.Key(stringLiteral: name)] = value
    }
    return try await child.run(
      .path("/bin/sh"),
      ["-c", command],
      changing: defaults,
      input: .fileDescriptor(output, closeAfterSpawningProcess: true)
    )
  }

  /// Waits until it is left.
  ///
  /// - Returns: whether it was left before everything was written.
  private func finish() async throws -> Bool {
    let state = state.withLock(\.self)
    try state.input?.close()
    switch try await state.process?.value {
    case .exited(let code) where code == 126 || code == 127:
      throw CommandError(
        .failure,
        "the pager '\(command)' cannot be run",
        code: "unusablePager",
        hint: "Set ANNALS_PAGER to another, or to an empty value for no pager."
      )
    default: return state.isClosed
    }
  }
}
