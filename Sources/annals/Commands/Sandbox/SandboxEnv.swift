internal import ArgumentParser
internal import EventStore
internal import PostgresSandbox

struct SandboxEnv: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "env",
    abstract: "Print the variables that lead to the sandbox, for eval in a shell.",
    discussion: """
        eval "$(annals sandbox env)"
        annals sandbox env --shell fish | source

      On failure it prints lines that make the shell reach no server and that end in false.
      """
  )

  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case sh, bash, zsh, fish
  }

  @OptionGroup var options: SandboxOptions

  @Option(help: "The shell that reads the lines.")
  var shell = Shell.sh

  func run() async throws {
    let variables = try await options.sandbox().environment()
    StandardOutput.writeRaw(Self.script(variables, for: shell))
    StandardOutput.flush()
  }

  /// Lines that set the variables, and unset those that would lead to another server.
  static func script(_ variables: [(name: String, value: String)], for shell: Shell = .sh) -> String {
    let lines =
      shell == .fish
      // A variable that is not exported hides a universal one. Erasing it would bring the universal one back.
      ? Sandbox.conflictingVariables.map { "set -gu \($0)" }
        + variables.map { "set -gx \($0.name) \(quoteShell($0.value))" }
      : ["unset " + Sandbox.conflictingVariables.joined(separator: " ")]
        + variables.map { "export \($0.name)=\(quoteShell($0.value))" }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The lines for a shell when the command line failed, if it is one of this command. With no lines the shell would
  /// continue with the server that its variables lead to.
  static func scriptOfFailure(_ arguments: [String]) -> String? {
    guard arguments.starts(with: ["sandbox"]), arguments.contains(where: { $0 == "env" }) else { return nil }
    let isFish = arguments.contains { $0 == Shell.fish.rawValue || $0 == "--shell=\(Shell.fish)" }
    // The folder of a socket, which only root can create.
    return script([("PGHOST", "/annals-sandbox-is-not-running")], for: isFish ? .fish : .sh) + "false\n"
  }
}
