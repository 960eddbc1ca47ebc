internal import ArgumentParser
internal import PostgresSandbox

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
    try Confirmation.require("Delete all data in \(sandbox.directory)?", yes: yes)
    try await sandbox.reset()
  }
}
