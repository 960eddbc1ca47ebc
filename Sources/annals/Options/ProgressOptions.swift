internal import ArgumentParser

/// How long work says how far it is.
struct ProgressOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Say so often how far it is, instead of showing a bar.", valueName: "duration")
  )
  var progress: DurationArgument?

  func validate() throws { try progress?.requirePositive("--progress") }

  func line(_ title: String, rest: String? = "positions behind") -> ProgressLine {
    ProgressLine(title, every: progress?.duration, rest: rest)
  }
}
