internal import ArgumentParser

/// How often long work reports its progress.
struct ProgressOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Print progress at this interval instead of a bar.", valueName: "duration")
  )
  var progress: DurationArgument?

  func validate() throws { try progress?.requirePositive("--progress") }

  func line(_ title: String, rest: String? = "positions behind") -> ProgressLine {
    ProgressLine(title, every: progress?.duration, rest: rest)
  }
}
