internal import ArgumentParser
internal import EventStore

@main
struct Annals: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "annals",
    abstract: "Look after an event store on PostgreSQL.",
    version: version,
    subcommands: [
      Append.self,
      Initialize.self,
      RebuildProjection.self,
      Replay.self,
      SandboxCommand.self,
      Stream.self,
      VerifyVersions.self,
    ],
    // -h is the host, as in psql.
    helpNames: [.long, .customShort("?")]
  )

  static let version = "0.1.0"

  /// Runs the command line, and turns whatever is thrown into a message and an exit status.
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      try await Interruption.cancellingOnSignal {
        var command = try parseAsRoot(arguments)
        if var asynchronous = command as? any AsyncParsableCommand {
          try await asynchronous.run()
        } else {
          try command.run()
        }
      }
    } catch let status as ExitCode {
      // The status of a command that annals ran for somebody.
      exit(withError: status)
    } catch {
      Failure(error).report(asJSON: OutputFormat.requested(in: arguments).isJSON)
    }
  }
}
