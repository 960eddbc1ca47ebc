import ArgumentParser
import PostgresSandbox

struct SandboxReset: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract: "Stop the sandbox and delete all its data."
  )

  @OptionGroup var options: SandboxOptions

  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false

  func run() async throws {
    let sandbox = try await options.sandbox()
    if !yes {
      guard SandboxConsole.readsTerminal else {
        throw ValidationError(
          "this deletes all data in \(sandbox.directory): without a terminal it needs --yes"
        )
      }
      guard SandboxConsole.confirm("Delete all data in \(sandbox.directory)?") else {
        throw EndWithStatus(status: .failure)
      }
    }
    try await sandbox.reset()
  }
}
