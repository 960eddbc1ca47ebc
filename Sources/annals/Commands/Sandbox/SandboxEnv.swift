internal import ArgumentParser
internal import EventStore
internal import PostgresSandbox

struct SandboxEnv: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "env",
    abstract: "Print the variables that lead to the sandbox, for eval in a shell."
  )

  @OptionGroup var options: SandboxOptions

  func run() async throws {
    let variables = try await options.sandbox().environment()
    StandardOutput.writeRaw(Self.script(variables) + "\n")
    StandardOutput.flush()
  }

  /// Lines for sh that set the variables and unset those that would lead elsewhere.
  static func script(_ variables: [(name: String, value: String)]) -> String {
    let unset = "unset " + Sandbox.conflictingVariables.joined(separator: " ")
    return ([unset] + variables.map { "export \($0.name)=\(quoteShell($0.value))" }).joined(separator: "\n")
  }
}
