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
    // Everything is passed through, and that includes the help flags before the command.
    if ["--help", "-?"].contains(command.first) { throw CleanExit.helpRequest(self) }
    let command = command.first == "--" ? Array(command.dropFirst()) : command
    guard !command.isEmpty else { throw ValidationError("name the command to run") }
    let sandbox = try await options.sandbox()
    try await sandbox.start()
    var changes: [Environment.Key: String?] = [:]
    for (name, value) in try sandbox.environment() { changes[Environment.Key(stringLiteral: name)] = value }
    for name in Sandbox.conflictingVariables { changes[Environment.Key(stringLiteral: name)] = .some(nil) }

    let child = ChildProcess()
    Interruption.leaveToChild(child.forward)
    signal(SIGQUIT, SIG_IGN)
    let program = command[0]
    do {
      let status = try await child.run(
        program.utf8.contains(UInt8(ascii: "/")) ? .path(FilePath(program)) : .name(program),
        Array(command.dropFirst()),
        changing: changes,
        input: .currentStandardInput
      )
      throw Self.exitCode(status)
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
