internal import ArgumentParser
internal import Glibc
internal import PostgresSandbox
internal import Subprocess
internal import SystemPackage

struct SandboxExec: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Run a command against the sandbox; start it if needed.",
    discussion: """
        annals sandbox exec psql
        annals sandbox exec annals stream order-42

      The exit status is the command's; 128 plus the signal's number when a signal ended it; \
      127 when there is no such command.
      """
  )

  @OptionGroup var options: SandboxOptions

  @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
  var command: [String]

  func run() async throws {
    // Passing everything through takes the help flags as well, even before the command.
    if ["--help", "-?"].contains(command.first) { throw CleanExit.helpRequest(self) }
    let command = command.first == "--" ? Array(command.dropFirst()) : command
    guard !command.isEmpty else { throw ValidationError("exec needs a command") }
    let sandbox = try await options.sandbox()
    try await sandbox.start()
    var changes: [Environment.Key: String?] = [:]
    for (name, value) in try sandbox.environment() { changes[Environment.Key(stringLiteral: name)] = value }
    for name in Sandbox.conflictingVariables { changes[Environment.Key(stringLiteral: name)] = .some(nil) }

    // The terminal sends INT and QUIT to the command as well; TERM comes to this process alone.
    let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
    Interruption.leaveToChild { if $0 == SIGTERM { continuation.yield($0) } }
    signal(SIGQUIT, SIG_IGN)
    throw Self.exitCode(try await run(command, environment: .inherit.updating(changes), forwarding: signals))
  }

  private func run(
    _ command: [String],
    environment: Environment,
    forwarding signals: AsyncStream<Int32>
  ) async throws -> TerminationStatus {
    let program = command[0]
    do {
      let result = try await Subprocess.run(
        program.utf8.contains(UInt8(ascii: "/")) ? .path(FilePath(program)) : .name(program),
        arguments: Arguments(Array(command.dropFirst())),
        environment: environment,
        input: .currentStandardInput,
        output: .currentStandardOutput,
        error: .currentStandardError
      ) { execution in
        Task {
          for await number in signals { try? execution.send(signal: Signal(rawValue: number)) }
        }
      }
      result.closureResult.cancel()
      return result.terminationStatus
    } catch let error as SubprocessError where error.code == .executableNotFound {
      throw SandboxError(.commandNotFound, "command not found: \(program)")
    }
  }

  private static func exitCode(_ status: TerminationStatus) -> ExitCode {
    switch status {
    case .exited(let code): ExitCode(code)
    case .signaled(let number): ExitCode(128 + number)
    }
  }
}
