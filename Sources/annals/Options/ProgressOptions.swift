internal import ArgumentParser

/// How long work says how far it is.
struct ProgressOptions: ParsableArguments {
  @Option(help: "Say every so many seconds how far it is, instead of showing a bar.")
  var progress: Double?

  func validate() throws {
    if let progress, !(progress > 0) { throw ValidationError("--progress must be more than 0") }
  }

  func line(_ title: String, rest: String? = "positions behind") -> ProgressLine {
    ProgressLine(title, every: progress, rest: rest)
  }
}
