internal import EventStore

/// One thing that a command prints: an event, a finding, a snapshot. It has the same fields in every format.
protocol Record {
  /// In the order in which they are printed.
  static var columns: [Column<Self>] { get }
  /// The lines below the record in a table, over the whole width.
  var lines: [String] { get }
  /// Whether these lines are cut at the width of a terminal, as the table is, and not broken.
  static var cutsLines: Bool { get }
}

extension Record {
  var lines: [String] { [] }
  static var cutsLines: Bool { true }

  /// The values of the columns.
  var fields: [Field] { Self.columns.map { $0.field(self) } }
}

/// A field of a record: its name (in JSON and CSV; in upper case it is the heading in a table), and its value.
struct Column<Row>: Sendable {
  let name: String
  let style: ColumnStyle
  let importance: Importance
  /// How many columns of a narrow terminal a text needs to be useful, and how many to be read well. A number is
  /// never cut.
  let widths: ClosedRange<Int>
  /// Whether it contains qualified names, which keep their ends when they are cut.
  let holdsNames: Bool
  let field: @Sendable (Row) -> Field

  init(
    _ name: String,
    _ importance: Importance = .normal,
    style: ColumnStyle = .plain,
    widths: ClosedRange<Int>? = nil,
    holdsNames: Bool = false,
    field: @escaping @Sendable (Row) -> Field
  ) {
    (self.name, self.style, self.importance, self.field) = (name, style, importance, field)
    self.holdsNames = holdsNames
    self.widths = widths ?? (importance == .high ? 20...48 : 12...48)
  }

  /// A time, shortened to the minute if there is no room for all of it.
  static func time(
    _ name: String,
    _ importance: Importance = .normal,
    _ time: @escaping @Sendable (Row) -> Timestamp
  ) -> Column {
    Column(name, importance, widths: 17...17) { .text("\(time($0))") }
  }

  /// An event type.
  static func type(
    _ name: String,
    _ importance: Importance = .high,
    style: ColumnStyle = .plain,
    _ type: @escaping @Sendable (Row) -> String?
  ) -> Column {
    Column(name, importance, style: style, holdsNames: true) { Field(type($0)) }
  }

  /// The same column with another importance or another style.
  func with(importance: Importance? = nil, style: ColumnStyle? = nil) -> Column {
    Column(
      name,
      importance ?? self.importance,
      style: style ?? self.style,
      widths: widths,
      holdsNames: holdsNames,
      field: field
    )
  }

  func cut(_ text: String, to width: Int) -> String {
    holdsNames ? Terminal.cutName(text, to: width) : Terminal.cut(text, to: width)
  }

  var heading: String { String(name.uppercased().map { $0 == "_" ? " " : $0 }) }
}

extension Sequence {
  /// The columns of a record for programs that these columns for people lack: they can be requested by name.
  func besides<Row>(_ shown: [Column<Row>]) -> [Column<Row>] where Element == Column<Row> {
    filter { column in shown.allSatisfy { !$0.name.utf8.elementsEqual(column.name.utf8) } }
      .map { $0.with(style: .aside) }
  }
}

/// The importance of a column in a table that is too wide for the terminal; see ``TableFit``.
enum Importance {
  /// Left out first.
  case least
  case low
  case normal
  /// The purpose of the command. It is always shown.
  case high
}

/// How a table shows a column.
enum ColumnStyle {
  case plain
  /// Not in the table: it is in the record's ``Record/lines``, or can be requested by name.
  case aside
  /// Each of its values has its own colour.
  case colored
  /// Left out of JSON if it is NULL, as in the lines of a replay.
  case optional
}

extension Sequence {
  /// The columns of a record that is part of another one.
  func of<Part, Whole>(_ part: @escaping @Sendable (Whole) -> Part) -> [Column<Whole>]
  where Element == Column<Part> {
    map { column in
      Column<Whole>(
        column.name,
        column.importance,
        style: column.style,
        widths: column.widths,
        holdsNames: column.holdsNames
      ) {
        column.field(part($0))
      }
    }
  }
}

/// A field's value.
enum Field {
  case null
  case text(String)
  case integer(Int64)
  case bool(Bool)
  /// JSON text, which is inserted into JSON unchanged.
  case json(String)
  /// A value for programs that people read in another form (1 h 12 min for 4320 seconds).
  case number(String, shown: String)
  /// A text that is an estimate; people see it with a sign before it.
  case estimated(String)

  init(_ text: String?) { self = text.map { .text($0) } ?? .null }
  init(_ integer: (some BinaryInteger)?) { self = integer.map { .integer(Int64($0)) } ?? .null }
  init(json: String?) { self = json.map { .json($0) } ?? .null }

  var isNumber: Bool {
    switch self {
    case .integer, .number: true
    default: false
    }
  }

  /// For JSON output.
  var json: String {
    switch self {
    case .null: "null"
    case .text(let text), .estimated(let text): JSONObject.quote(text)
    case .integer(let integer): String(integer)
    case .bool(let bool): String(bool)
    case .json(let json): json
    case .number(let number, _): number
    }
  }

  /// For CSV output: without quotes, and empty for NULL.
  var plain: String {
    switch self {
    case .null: ""
    case .text(let text), .estimated(let text): text
    case .json(let json): json
    default: json
    }
  }

  /// For people, who read large numbers with separators.
  var shown: String {
    switch self {
    case .null: ""
    case .integer(let integer): Field.grouped(integer)
    case .number(_, let shown): shown
    case .estimated(let text): "≈ " + text
    default: plain
    }
  }

  /// A number with its noun, as ``counted(_:_:)``.
  static func counted(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(grouped(Int64(number))) \(noun)\(number == 1 ? "" : "s")"
  }

  static func grouped(_ number: Int64) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
  }
}
