internal import ArgumentParser

/// How a command prints its records.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.customShort("o", allowingJoined: true), .customLong("output")],
    help: "Output format; table when left out."
  )
  var givenFormat: OutputFormat?

  var format: OutputFormat { chosenFormat ?? .table }

  /// What the option or the variable says; nil without either, where a command then prints something of its own.
  var chosenFormat: OutputFormat? {
    // A wrong variable was refused by validate().
    (try? OutputFormat.resolve(givenFormat)).flatMap(\.self)
  }

  /// Whether a person looks at a table, who may be shown pictures.
  var isForTerminal: Bool { format == .table && StandardOutput.isTerminal }

  func print<R: Record>(_ records: some Sequence<R>) { RecordPrinter.print(records, format) }

  /// Prints a record of which there is only one; for people a field a line, without those that are NULL.
  func printAlone<R: Record>(_ record: R) { RecordPrinter.printAlone(record, format) }

  func validate() throws { _ = try OutputFormat.resolve(givenFormat) }
}
