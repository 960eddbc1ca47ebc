internal import ArgumentParser

/// How a command prints its records.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.customShort("o", allowingJoined: true), .customLong("output")],
    help: "Output format; table when left out."
  )
  var givenFormat: OutputFormat?

  var format: OutputFormat {
    // A wrong variable was refused by validate().
    (try? OutputFormat.resolve(givenFormat)) ?? .table
  }

  /// Whether a person looks at a table, who may be shown pictures.
  var isForTerminal: Bool { format == .table && StandardOutput.isTerminal }

  func validate() throws { _ = try OutputFormat.resolve(givenFormat) }
}
