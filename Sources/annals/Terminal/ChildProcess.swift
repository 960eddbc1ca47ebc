internal import Glibc
internal import Subprocess

/// A program that has the terminal while it runs; this process waits for it.
///
/// INT and QUIT reach it from the terminal. TERM reaches only this process, and ``forward(_:)`` passes it on.
final class ChildProcess: Sendable {
  private let (signals, sender) = AsyncStream.makeStream(of: Int32.self)

  @Sendable func forward(_ number: Int32) { if number == SIGTERM { sender.yield(number) } }

  /// - Parameter changes: to the environment of this process; nil removes a variable.
  func run(
    _ program: Executable,
    _ arguments: [String],
    changing changes: [Environment.Key: String?],
    input: some InputProtocol
  ) async throws -> TerminationStatus {
    let result = try await Subprocess.run(
      program,
      arguments: Arguments(arguments),
      environment: .inherit.updating(changes),
      input: input,
      output: .currentStandardOutput,
      error: .currentStandardError
    ) { execution in
      Task { [signals] in
        for await number in signals { try? execution.send(signal: Signal(rawValue: number)) }
      }
    }
    result.closureResult.cancel()
    return result.terminationStatus
  }
}
