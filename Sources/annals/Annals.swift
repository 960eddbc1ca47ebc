internal import ArgumentParser
internal import EventStore

@main
struct Annals: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "annals",
    abstract: "Look after an event store on PostgreSQL, found as psql finds it.",
    usage: "annals <subcommand> [options]",
    discussion: """
        annals init -d shop                    create the events table
      """,
    version: "annals \(version)",
    // One group: the help is one screen.
    subcommands: [
      Initialize.self, LayoutsCommand.self, SandboxCommand.self, VerifyVersions.self, Check.self,
      Doctor.self, Protect.self, Audit.self, VersionCommand.self,
      Compare.self, Report.self, TypesCommand.self, EvolveCommand.self, Export.self, Restore.self,
      Archive.self, Redact.self,
      Append.self, Stream.self, Streams.self, Show.self, Trace.self, Replay.self, WatermarkCommand.self,
      SnapshotCommand.self, Stats.self, Browse.self,
      CheckProjection.self, RebuildProjection.self, Project.self, Run.self, ProjectionsCommand.self,
      CheckpointsCommand.self, DeadLettersCommand.self, TestCommand.self,
    ],
    // -h is the host, as in psql.
    helpNames: [.long, .customShort("?")]
  )

  static let version = "0.2.0"

  /// Runs the command line, and turns every error into a message and an exit status.
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let script = CompletionScript.requested(in: arguments) {
      StandardOutput.writeRaw(script + "\n")
      return StandardOutput.flush()
    }
    StatusSignal.answer(as: NamedSubcommand.path(in: arguments).joined(separator: " "))
    do {
      try await Interruption.cancellingOnSignal {
        try GivenText.check()
        if let words = try HelpSearch.words(in: arguments) { return try HelpSearch(for: words).print() }
        try NamedSubcommand.check(arguments)
        var command = try await asyncParseAsRoot(arguments)
        if var asynchronous = command as? any AsyncParsableCommand {
          try await asynchronous.run()
        } else {
          try command.run()
        }
      }
    } catch let status as ExitCode {
      // The status of a command that annals ran.
      exit(withError: status)
    } catch {
      var failure = Failure(error)
      if failure.status == .usage, failure.hint == nil {
        failure.hint = [failure.suggestion, usageHint(arguments)].compactMap(\.self).joined(separator: " ")
      }
      if failure.status != .done, let script = SandboxEnv.scriptOfFailure(arguments) {
        StandardOutput.writeRaw(script)
      }
      failure.report(asJSON: OutputFormat.requested(in: arguments).isJSON)
    }
  }

  private static func usageHint(_ arguments: [String]) -> String {
    if arguments.last == "-h" { return "-h is the server's host, as in psql. For help: annals --help" }
    if let meant = NamedSubcommand.meant(by: arguments) {
      return "Did you mean 'annals \(meant.joined(separator: " "))'?"
    }
    return "Try '\((["annals", "help"] + NamedSubcommand.path(in: arguments)).joined(separator: " "))'."
  }
}
