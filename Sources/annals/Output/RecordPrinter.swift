/// Prints records of one kind, as they arrive.
struct RecordPrinter<R: Record> {
  private let style: RecordStyle
  private let columns: [Column<R>]
  /// The width that a table has to fit in; nil if there is no limit, as in a file.
  private let maximumWidth: Int?
  private let hasColors: Bool
  private let write: (String) -> Void
  private var count = 0
  /// The first records of a table, held back until the widths of its columns are known.
  private var held: [R] = []
  /// The columns that a table shows; empty until then.
  private var places: [Place] = []
  /// The headings of columns for which a table has no room.
  private var leftOut: [String] = []

  private struct Place {
    let column: Column<R>
    let width: Int
    /// Whether values are cut to the width; otherwise wider values stick out.
    let isCut: Bool
  }

  /// How many records decide a table's widths; wider values of later records stick out.
  private static var heldLimit: Int { 500 }

  init(
    _ style: RecordStyle,
    maximumWidth: Int? = StandardOutput.tableWidth,
    hasColors: Bool = false,
    write: @escaping (String) -> Void = { StandardOutput.writeRaw($0) }
  ) {
    columns = style.columns(of: R.self)
    (self.style, self.maximumWidth, self.hasColors, self.write) = (style, maximumWidth, hasColors, write)
  }

  mutating func print(_ record: R) {
    switch style.format {
    case .ndjson: write(object(record) + "\n")
    case .json: write((count == 0 ? "[\n" : ",\n") + object(record))
    case .csv:
      if count == 0 { printCSV(columns.map(\.name)) }
      printCSV(columns.map { $0.field(record).plain })
    case .table where style.isExpanded: printBlock(record)
    case .table:
      if places.isEmpty { held.append(record) } else { printRow(record) }
      if held.count >= Self.heldLimit { releaseHeld() }
    }
    count += 1
  }

  /// Prints a complete list of records.
  static func print(_ records: some Sequence<R>, _ style: RecordStyle) {
    var printer = RecordPrinter(style)
    for record in records { printer.print(record) }
    printer.finish()
  }

  /// Prints a single record; for people with a line for each field, without NULL fields.
  static func printAlone(_ record: R, _ style: RecordStyle) {
    guard style.format == .table, !style.isExpanded else {
      var printer = RecordPrinter(style)
      printer.print(record)
      return printer.finish()
    }
    let columns = style.fields == nil ? R.columns : style.columns(of: R.self)
    let width = columns.reduce(0) { max($0, $1.name.count) } + 2
    for column in columns {
      let field = column.field(record)
      if case .null = field { continue }
      let padding = String(repeating: " ", count: width - column.name.count)
      StandardOutput.print(column.name + padding + field.shown)
    }
    StandardOutput.flush()
  }

  /// Prints the records held back, if the next one may take long.
  mutating func flush() {
    if style.format == .table { releaseHeld() }
    StandardOutput.flush()
  }

  /// Prints the rest of the records held back, and the end of the format.
  mutating func finish() {
    switch style.format {
    case .json: write(count == 0 ? "[]\n" : "\n]\n")
    case .csv where count == 0: printCSV(columns.map(\.name))
    case .table:
      releaseHeld(areAll: places.isEmpty)
      if !leftOut.isEmpty {
        printLine([("(-x also shows \(leftOut.joined(separator: ", ")))", nil)])
      }
    default: break
    }
    StandardOutput.flush()
  }

  /// A payload is JSON already, and may contain characters that are unsafe at a terminal.
  private func object(_ record: R) -> String {
    var object = JSONObject()
    for column in columns {
      let field = column.field(record)
      if column.style == .optional, case .null = field { continue }
      object.add(column.name, json: field.json)
    }
    return StandardOutput.isTerminal ? TextEscaping.forJSON(object.text) : object.text
  }

  private func printCSV(_ cells: [String]) {
    write(cells.map(TextEscaping.csvCell).joined(separator: ",") + "\r\n")
  }

  private func printBlock(_ record: R) {
    let block = RecordBlock(
      record,
      columns,
      number: count + 1,
      colors: hasColors,
      width: maximumWidth ?? 80
    )
    for line in block.lines + lines(below: record).map(TextEscaping.forPeople) { write(line + "\n") }
  }

  /// - Parameter areAll: whether no more records will come.
  private mutating func releaseHeld(areAll: Bool = false) {
    guard !held.isEmpty else { return }
    let fields = columns.map { column in held.map(column.field) }
    let isNumber = fields.map { $0.reduce(false) { $0 || $1.isNumber } }
    let isEmpty = fields.map { areAll && $0.allSatisfy(\.shown.isEmpty) }
    let spaces = columns.indices.map { index in
      let column = columns[index]
      let natural = fields[index].reduce(column.heading.count) {
        max($0, Terminal.columns(of: TextEscaping.forPeople($1.shown)))
      }
      let importance = isEmpty[index] ? .least : column.importance
      return isNumber[index]
        ? TableFit.Space(importance, number: natural)
        : TableFit.Space(importance, natural: natural, column.widths)
    }
    let widths = TableFit(spaces, in: maximumWidth ?? .max).widths
    places = columns.indices.compactMap { index in
      widths[index].map { Place(column: columns[index], width: $0, isCut: $0 < spaces[index].natural) }
    }
    leftOut = columns.indices.filter { widths[$0] == nil && !isEmpty[$0] }.map { columns[$0].heading }
    let shownNumbers = columns.indices.filter { widths[$0] != nil }.map { isNumber[$0] }
    printCells(zip(places, shownNumbers).map { ($0.column.heading, $1, nil) })
    for record in held { printRow(record) }
    held = []
  }

  private func printRow(_ record: R) {
    let cells = places.map { place in
      let field = place.column.field(record)
      let text = TextEscaping.forPeople(field.shown)
      let isColored = hasColors && place.column.style == .colored
      return (text, field.isNumber, isColored ? Color(of: text) : nil)
    }
    printCells(cells)
    for line in lines(below: record) {
      if R.cutsLines { printLine([(line, nil)]) } else { write(TextEscaping.forPeople(line) + "\n") }
    }
  }

  /// None if fields were requested by name.
  private func lines(below record: R) -> [String] {
    style.fields == nil ? record.lines.map { "  " + $0 } : []
  }

  private func printCells(_ cells: [(text: String, isRightAligned: Bool, color: Color?)]) {
    var line: [(text: String, color: Color?)] = []
    for (index, (place, cell)) in zip(places, cells).enumerated() {
      let text = place.isCut ? place.column.cut(cell.text, to: place.width) : cell.text
      let padding = String(repeating: " ", count: max(0, place.width - Terminal.columns(of: text)))
      if index > 0 { line.append((TableFit.gap, nil)) }
      if cell.isRightAligned { line.append((padding, nil)) }
      line.append((text, cell.color))
      if !cell.isRightAligned, index < places.count - 1 { line.append((padding, nil)) }
    }
    printLine(line)
  }

  private func printLine(_ pieces: [(text: String, color: Color?)]) {
    write(Terminal.cut(pieces, to: maximumWidth ?? .max) + "\n")
  }
}
