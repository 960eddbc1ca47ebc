internal import ArgumentParser

/// How a command prints its records.
struct OutputOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "Output format.")
  var output: OutputFormat = .table
}
