/// What a command prints one of a kind of: an event, a finding, a snapshot. The same fields in every format.
protocol Record {
  static var columns: [Column] { get }
  /// One for each of ``columns``, in that order.
  var fields: [Field] { get }
  /// The place of the column whose values each have a colour in a table; nil for none.
  static var coloredColumn: Int? { get }
  /// What stands below the record in a table, over the whole width.
  var lines: [String] { get }
}

extension Record {
  static var coloredColumn: Int? { nil }
  var lines: [String] { [] }
}

/// A field's name in JSON and CSV; in a table it is the heading, in upper case.
struct Column {
  let name: String
  /// Whether a table has no room for it, and shows it in the record's ``Record/lines`` if at all.
  let isAside: Bool

  init(_ name: String) {
    self.init(name, isAside: false)
  }

  init(_ name: String, isAside: Bool) {
    (self.name, self.isAside) = (name, isAside)
  }
}

/// A field's value.
enum Field {
  case null
  case text(String)
  case integer(Int64)
  case bool(Bool)
  /// JSON text, which goes into JSON as it is.
  case json(String)
  /// A value for programs that people read in another form (1 h 12 min for 4320 seconds).
  case number(String, shown: String)

  init(_ text: String?) { self = text.map { .text($0) } ?? .null }
  init(_ integer: Int64?) { self = integer.map { .integer($0) } ?? .null }
  init(_ integer: Int32) { self = .integer(Int64(integer)) }

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
    case .text(let text): JSONObject.quote(text)
    case .integer(let integer): String(integer)
    case .bool(let bool): String(bool)
    case .json(let json): json
    case .number(let number, _): number
    }
  }

  /// For CSV output: bare, and empty for NULL.
  var plain: String {
    switch self {
    case .null: ""
    case .text(let text): text
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
    default: plain
    }
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
