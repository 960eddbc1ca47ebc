internal import ArgumentParser

/// How a command prints its records.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.customShort("o", allowingJoined: true), .customLong("output")],
    help: "Output format."
  )
  var givenFormat: OutputFormat?

  @Flag(name: [.customShort("x"), .customLong("expanded")], help: "Show a record a block, a field a line.")
  var isExpanded = false

  @Option(help: ArgumentHelp("Only these fields, in this order.", valueName: "a,b"))
  var fields: FieldNames?

  var format: OutputFormat { chosenFormat ?? .table }

  /// What the option or the variable says; nil without either, where a command then prints something of its own.
  var chosenFormat: OutputFormat? {
    if isExpanded { return .table }
    // A wrong variable was refused by validate().
    return (try? OutputFormat.resolve(givenFormat)).flatMap(\.self) ?? (fields == nil ? nil : .table)
  }

  var style: RecordStyle { RecordStyle(format: format, isExpanded: isExpanded, fields: fields?.names) }

  /// Whether the command line says how to print.
  var isGiven: Bool { givenFormat != nil || isExpanded || fields != nil }

  /// Refuses fields that the records of a command do not have.
  func checkFields<R: Record>(of type: R.Type, among present: [String]? = nil) throws {
    try fields?.check(type, among: present)
  }

  /// Whether a person looks at a table, who may be shown pictures.
  var isForTerminal: Bool { format == .table && StandardOutput.isTerminal }

  func print<R: Record>(_ records: some Sequence<R>) { RecordPrinter.print(records, style) }

  /// Prints a record of which there is only one; for people a field a line, without those that are NULL.
  func printAlone<R: Record>(_ record: R) { RecordPrinter.printAlone(record, style) }

  func validate() throws {
    _ = try OutputFormat.resolve(givenFormat)
    if isExpanded, let givenFormat, givenFormat != .table {
      throw ValidationError("--expanded is for tables; omit -o \(givenFormat.rawValue)")
    }
  }
}
