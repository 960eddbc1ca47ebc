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

  /// The format from the option or the variable; nil without either, and a command may then print its own form.
  var chosenFormat: OutputFormat? {
    if isExpanded { return .table }
    // A wrong variable was refused by validate().
    return (try? OutputFormat.resolve(givenFormat)).flatMap(\.self) ?? (fields == nil ? nil : .table)
  }

  var style: RecordStyle { RecordStyle(format: format, isExpanded: isExpanded, fields: fields?.names) }

  /// Whether the command line has an option for the output.
  var isGiven: Bool { givenFormat != nil || isExpanded || fields != nil }

  /// Refuses fields that the records of a command do not have.
  func checkFields<R: Record>(of type: R.Type, among present: [String]? = nil) throws {
    try fields?.check(type, among: present)
  }

  /// Whether a person reads a table, so that charts may be shown.
  var isForTerminal: Bool { format == .table && StandardOutput.isTerminal }

  func print<R: Record>(_ records: some Sequence<R>) { RecordPrinter.print(records, style) }

  /// Prints a single record; for people with a line for each field, without NULL fields.
  func printAlone<R: Record>(_ record: R) { RecordPrinter.printAlone(record, style) }

  func validate() throws {
    _ = try OutputFormat.resolve(givenFormat)
    if isExpanded, let givenFormat, givenFormat != .table {
      throw ValidationError("--expanded is for tables; omit -o \(givenFormat.rawValue)")
    }
  }
}
