internal import ArgumentParser
internal import EventStore

/// The options of a rebuild.
struct RebuildOptionGroup: ParsableArguments {
  @Option(help: "Events per transaction.")
  var chunk: Int64 = 20_000

  @Option(help: "Connections to use; more than 1 needs '@parallel aggregate' in the file.")
  var workers = 1

  @Flag(help: "Resume an interrupted build of the same file, or start again.")
  var mode: Mode = .resume

  @Flag(help: "Do not swap; the next run swaps the new generation in.")
  var noSwap = false

  @Option(help: ArgumentHelp("Apply events up to this position only.", valueName: "n"))
  var toPosition: Int64?

  @Option(help: "Earlier generations to keep.")
  var keep = 1

  @Option(
    help: ArgumentHelp(
      "Stop after this time, exit 2; the next run continues.",
      valueName: "duration"
    )
  )
  var timeLimit: DurationArgument?

  @Flag(help: "Print how the new tables differ from the live ones.")
  var diff = false

  @Option(
    help: "Do not swap and exit with 2 when more rows differ: a number, or a share such as 1%.",
    transform: { text in
      guard let limit = DifferenceLimit(text) else {
        throw ValidationError("'\(text)' is neither a number of rows nor a percentage")
      }
      return limit
    }
  )
  var maxDiff: DifferenceLimit?

  @Flag(help: "Set events whose handler fails aside as dead letters.")
  var park = false

  @Option(help: ArgumentHelp("The most that --park sets aside. (default: 100)", valueName: "n"))
  var maxParked: Int?

  enum Mode: EnumerableFlag {
    case resume, restart
  }

  func validate() throws {
    if chunk < 1 { throw ValidationError("--chunk must be 1 or more") }
    if !(1...64).contains(workers) { throw ValidationError("--workers must be from 1 to 64") }
    if maxParked != nil, !park { throw ValidationError("--max-parked needs --park") }
    if let maxParked, maxParked < 1 { throw ValidationError("--max-parked must be 1 or more") }
    if keep < 0 { throw ValidationError("--keep cannot be negative") }
  }

  var options: RebuildOptions {
    var options = RebuildOptions()
    options.chunkSize = chunk
    options.workers = workers
    options.restarts = mode == .restart
    options.swaps = !noSwap
    options.lastPosition = toPosition
    options.keptGenerations = keep
    options.timeLimit = timeLimit?.duration
    options.compares = diff
    options.differenceLimit = maxDiff
    options.mostDeadLetters = park ? maxParked ?? 100 : 0
    return options
  }
}
