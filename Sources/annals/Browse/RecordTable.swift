internal import EventStore

/// Records as a table of a page: the columns that a command prints, with links to what they name.
enum RecordTable {
  /// The most characters of a cell: a name or a payload can have any length.
  private static let longestCell = 300

  /// - Parameters:
  ///   - names: the columns that are shown; when empty, those of the command's table.
  ///   - caption: the title of the list.
  ///   - mark: which records are highlighted.
  static func html<R: Record>(
    _ records: [R],
    columns names: [String] = [],
    hiding hidden: Set<String> = [],
    caption: String = "",
    mark: (R) -> Bool = { _ in false }
  ) -> HTML {
    var style = RecordStyle()
    if !names.isEmpty { style.fields = names }
    let columns = style.columns(of: R.self).filter { !hidden.contains($0.name) }
    let fields = columns.map { column in records.map(column.field) }
    let isNumber = fields.map { $0.reduce(false) { $0 || $1.isNumber } }
    let head = zip(columns, isNumber).map { column, isNumber in
      HTML.element("th", number(isNumber) + [.init("scope", "col")], text: title(column.name))
    }
    let rows = records.map { record in
      row(record, columns, isNumber, isMarked: mark(record))
    }
    return .element(
      "div",
      [.init("class", "scroll")],
      .element(
        "table",
        [],
        caption.isEmpty ? HTML() : .element("caption", text: caption),
        .element("thead", [], .element("tr", [], head)),
        .element("tbody", [], rows)
      )
    )
  }

  /// One record, with a line for each field; NULL fields are left out.
  static func alone<R: Record>(_ record: R, leavingOut names: [String] = []) -> HTML {
    let values = R.columns.filter { $0.style != .aside }.map { ($0.name, $0.field(record)) }
    let rows = values.compactMap { name, field -> HTML? in
      if case .null = field { return nil }
      if names.contains(name) { return nil }
      let cell = Self.cell(name, field, values)
      return .element(
        "tr",
        [],
        .element("th", [.init("scope", "row")], text: title(name)),
        .element("td", [], cell)
      )
    }
    return .element("div", [.init("class", "scroll")], .element("table", [], .element("tbody", [], rows)))
  }

  private static func row<R: Record>(
    _ record: R,
    _ columns: [Column<R>],
    _ isNumber: [Bool],
    isMarked: Bool
  ) -> HTML {
    // A link may need a column that is not shown.
    let values = R.columns.map { ($0.name, $0.field(record)) }
    let cells = zip(columns, isNumber).map { column, isNumber in
      HTML.element("td", number(isNumber), cell(column.name, column.field(record), values))
    }
    return .element("tr", isMarked ? [.init("class", "this"), .init("aria-current", "true")] : [], cells)
  }

  private static func number(_ isNumber: Bool) -> [HTML.Attribute] {
    isNumber ? [.init("class", "number")] : []
  }

  private static func title(_ name: String) -> String { String(name.map { $0 == "_" ? " " : $0 }) }

  private static func cell(_ name: String, _ field: Field, _ values: [(String, Field)]) -> HTML {
    let shown = field.shown
    if shown.isEmpty { return HTML() }
    let text: HTML
    switch field {
    case .json: text = .element("code", text: cut(shown))
    case _ where times.contains(name): text = time(field)
    default: text = .text(cut(shown))
    }
    guard let address = link(name, field.plain, values) else { return text }
    return .element("a", [.init("href", address.text)], text)
  }

  static func cut(_ text: String) -> String { cut(text, to: longestCell) }

  /// Cuts by scalars, since their number is found without reading all of a very long text.
  static func cut(_ text: String, to most: Int) -> String {
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: most, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return text }
    return String(scalars[..<end]) + "…"
  }

  private static let times: Set = [
    "timestamp", "time", "first_time", "last_time", "failed_at", "moved_at", "first_seen", "last_seen",
    "oldest",
    "newest",
  ]

  /// In UTC; the script can show local time instead.
  static func time(_ field: Field) -> HTML {
    .element("time", [.init("datetime", field.plain)], text: field.shown)
  }

  /// The page of what a field names.
  private static func link(_ name: String, _ value: String, _ values: [(String, Field)]) -> PageAddress? {
    func other(_ name: String) -> String? { values.first { $0.0 == name }?.1.plain }
    switch name {
    case "aggregate_id", "aggregate": return PageAddress(.stream(value))
    case "version":
      if let id = other("event_id").flatMap({ EventID($0) }) { return PageAddress(.event(.id(id))) }
      return (other("aggregate_id") ?? other("aggregate")).map {
        PageAddress(.stream($0), [("version", value)])
      }
    case "position":
      return other("aggregate_id") == nil ? nil : Int64(value).map { PageAddress(.event(.position($0))) }
    case "id", "event_id", "causation_id": return EventID(value).map { PageAddress(.event(.id($0))) }
    case "correlation_id": return PageAddress(.trace(value))
    case "event_type": return PageAddress(.type(value))
    case "name" where other("generation") != nil: return PageAddress(.projection(value))
    case "projection": return PageAddress(.projection(value))
    case "dead_letter":
      let consumer = [other("projection"), other("checkpoint")].compactMap(\.self).first { !$0.isEmpty }
      return consumer.flatMap { name in
        other("position").flatMap { Int64($0) }.map { PageAddress(.deadLetter(name, position: $0)) }
      }
    case "category": return PageAddress(.streams, [("category", value)])
    default: return nil
    }
  }
}

extension RecordPrinter {
  /// Records as a command prints them.
  ///
  /// - Parameter hidden: the fields that are left out.
  static func text(_ records: [R], as format: OutputFormat, hiding hidden: Set<String>) -> String {
    let text = TextBuffer()
    var style = RecordStyle(format: format)
    if R.columns.contains(where: { hidden.contains($0.name) }) {
      style.fields = R.columns.map(\.name).filter { !hidden.contains($0) }
    }
    var printer = RecordPrinter(style, maximumWidth: nil) { text.value += $0 }
    for record in records { printer.print(record) }
    printer.finish()
    return text.value
  }
}

/// Collects what a printer writes.
private final class TextBuffer {
  var value = ""
}
