internal import ArgumentParser
internal import PostgresSandbox

struct SandboxStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Start the sandbox; make it when there is none."
  )

  @OptionGroup var options: SandboxOptions

  @Flag(name: .customLong("no-fsync"), help: "Run faster; a crash of the machine may destroy the sandbox.")
  var noFsync = false

  func run() async throws {
    let sandbox = try await options.sandbox()
    let outcome = try await sandbox.start(durable: !noFsync)
    let status = try await sandbox.status()
    if outcome == .alreadyRunning, status.isDurable == noFsync {
      StandardError.warn("the sandbox was running already and is \(noFsync ? "" : "not ")durable")
    }
    let verb = outcome == .started ? "started" : "is running already"
    let env = Advice.sandbox("env")
    StandardError.note("the sandbox \(verb) in \(status.directory): eval \"$(\(env))\"")
  }
}
