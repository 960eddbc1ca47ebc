internal import ArgumentParser

/// How many events of a type are examined.
struct SampleOptions: ParsableArguments {
  @Option(help: "Examine about this many events of a type, spread over history.")
  var sample: Int?

  @Flag(help: "Examine every event.")
  var all = false

  func validate() throws {
    if all, sample != nil { throw ValidationError("--all and --sample exclude each other") }
    if let sample, sample < 1 { throw ValidationError("--sample must be 1 or more") }
  }

  /// The limit; nil for all.
  func limit(default defaultLimit: Int?) -> Int? { all ? nil : sample ?? defaultLimit }
}
