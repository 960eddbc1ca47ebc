internal import ArgumentParser
internal import PostgresSandbox

struct SandboxStop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "stop", abstract: "Stop the sandbox.")

  @OptionGroup var options: SandboxOptions

  @Flag(help: "Stop at once, without writing all to disk; the next start recovers.")
  var immediate = false

  func run() async throws {
    let wasRunning = try await options.sandbox().stop(immediate ? .immediate : .fast)
    StandardError.note(wasRunning ? "the sandbox has stopped" : "the sandbox was not running")
  }
}
