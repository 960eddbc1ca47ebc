internal import ArgumentParser

/// How a command prints its records.
struct OutputOptions: ParsableArguments {
  @Option(name: [.customShort("o", allowingJoined: true), .customLong("output")], help: "Output format.")
  var format: OutputFormat = .table
}
