internal import ArgumentParser

/// What long work does when its connection is lost.
struct RetryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("How long to try to connect again.", valueName: "duration")
  )
  var retryTimeout: DurationArgument = "30s"

  var timeout: Duration { retryTimeout.duration }
}
