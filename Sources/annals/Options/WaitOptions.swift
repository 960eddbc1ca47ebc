internal import ArgumentParser
internal import EventStore

/// How long a command waits for transactions that write events.
struct WaitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Longest wait for a writer; then exit with 75.", valueName: "duration")
  )
  var waitLimit: DurationArgument?

  func apply(to store: EventStore) async {
    if let waitLimit { await store.limitWaiting(to: waitLimit.duration) }
  }
}
