/// Prints records of one kind, as they come.
struct RecordPrinter<R: Record> {
  private let format: OutputFormat
  /// Where a table's lines are cut; nil when they are not, as for a file.
  private let maximumWidth: Int?
  /// The place in a table of the column whose values have colours; nil for none.
  private let coloredColumn: Int?
  private let write: (String) -> Void
  private var count = 0
  /// The first records of a table, held back until the widths of its columns are known.
  private var held: [R] = []
  private var widths: [Int] = []

  /// As many records decide a table's widths; later ones that are wider stick out.
  private static var heldLimit: Int { 500 }

  init(
    _ format: OutputFormat,
    maximumWidth: Int? = StandardOutput.isTerminal ? Terminal.width : nil,
    hasColors: Bool = false,
    write: @escaping (String) -> Void = { StandardOutput.writeRaw($0) }
  ) {
    (self.format, self.maximumWidth, self.write) = (format, maximumWidth, write)
    coloredColumn = hasColors ? Self.tableColumns.firstIndex { $0.style == .colored } : nil
  }

  mutating func print(_ record: R) {
    switch format {
    case .ndjson: write(object(record) + "\n")
    case .json: write((count == 0 ? "[\n" : ",\n") + object(record))
    case .csv:
      if count == 0 { printCSV(R.columns.map(\.name)) }
      printCSV(record.fields.map(\.plain))
    case .table:
      if widths.isEmpty { held.append(record) } else { printRow(record) }
      if held.count >= Self.heldLimit { releaseHeld() }
    }
    count += 1
  }

  /// Prints records that are all there.
  static func print(_ records: some Sequence<R>, _ format: OutputFormat) {
    var printer = RecordPrinter(format)
    for record in records { printer.print(record) }
    printer.finish()
  }

  /// Prints a record of which there is only one; for people a field a line, without those that are NULL.
  static func printAlone(_ record: R, _ format: OutputFormat) {
    guard format == .table else {
      var printer = RecordPrinter(format)
      printer.print(record)
      return printer.finish()
    }
    let width = R.columns.reduce(0) { max($0, $1.name.count) } + 2
    for (column, field) in zip(R.columns, record.fields) {
      if case .null = field { continue }
      let padding = String(repeating: " ", count: width - column.name.count)
      StandardOutput.print(column.name + padding + field.shown)
    }
    StandardOutput.flush()
  }

  /// Prints what is held back now, where nobody knows when the next record comes.
  mutating func flush() {
    if format == .table { releaseHeld() }
    StandardOutput.flush()
  }

  /// Prints what is still held back, and what closes the format.
  mutating func finish() {
    switch format {
    case .json: write(count == 0 ? "[]\n" : "\n]\n")
    case .csv where count == 0: printCSV(R.columns.map(\.name))
    case .table: releaseHeld()
    default: break
    }
    StandardOutput.flush()
  }

  /// A payload is JSON already, and may hold what is unsafe at a terminal.
  private func object(_ record: R) -> String {
    var object = JSONObject()
    for (column, field) in zip(R.columns, record.fields) {
      if column.style == .optional, case .null = field { continue }
      object.add(column.name, json: field.json)
    }
    return StandardOutput.isTerminal ? TextEscaping.forJSON(object.text) : object.text
  }

  private static var tableColumns: [Column<R>] { R.columns.filter { $0.style != .aside } }

  private static func tableFields(_ record: R) -> [Field] { tableColumns.map { $0.field(record) } }

  private func printCSV(_ cells: [String]) {
    write(cells.map(TextEscaping.csvCell).joined(separator: ",") + "\r\n")
  }

  private mutating func releaseHeld() {
    guard !held.isEmpty else { return }
    let rows = held.map { Self.tableFields($0).map { TextEscaping.forPeople($0.shown) } }
    let headings = Self.tableColumns.map {
      String($0.name.uppercased().map { $0 == "_" ? " " : $0 })
    }
    widths = headings.indices.map { column in
      rows.reduce(headings[column].count) { max($0, Terminal.columns(of: $1[column])) }
    }
    printCells(headings, rightAligned: Self.tableFields(held[0]).map(\.isNumber))
    for record in held { printRow(record) }
    held = []
  }

  private func printRow(_ record: R) {
    let fields = Self.tableFields(record)
    printCells(
      fields.map { TextEscaping.forPeople($0.shown) },
      rightAligned: fields.map(\.isNumber),
      colored: coloredColumn
    )
    for line in record.lines { printLine([("  " + line, nil)]) }
  }

  private func printCells(_ cells: [String], rightAligned: [Bool], colored: Int? = nil) {
    var line: [(text: String, color: Color?)] = []
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - Terminal.columns(of: cell)))
      if index > 0 { line.append(("  ", nil)) }
      if rightAligned[index] { line.append((padding, nil)) }
      line.append((cell, index == colored ? Color(of: cell) : nil))
      if !rightAligned[index], index < cells.count - 1 { line.append((padding, nil)) }
    }
    printLine(line)
  }

  private func printLine(_ pieces: [(text: String, color: Color?)]) {
    write(Terminal.cut(pieces, to: maximumWidth ?? .max) + "\n")
  }
}
