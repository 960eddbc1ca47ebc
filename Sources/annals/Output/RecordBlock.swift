/// A record as lines, each with a field and its whole value, as in psql's \\x.
struct RecordBlock {
  let lines: [String]

  /// - Parameters:
  ///   - number: its place among the records, from 1.
  ///   - colors: whether values of columns with colours are coloured.
  ///   - width: the longest line above it.
  init<R>(_ record: R, _ columns: [Column<R>], number: Int, colors: Bool, width: Int) {
    let headings = columns.map(\.heading)
    let values = columns.map { TextEscaping.forPeople($0.field(record).shown) }
    let margin = headings.reduce(0) { max($0, Terminal.columns(of: $1)) } + 1
    let widest = values.reduce(0) { max($0, Terminal.columns(of: $1)) }
    var title = "-[ RECORD \(number) ]"
    if title.count <= margin { title += Self.dashes(margin - title.count) + "+" }
    title += Self.dashes(min(margin + 2 + widest, width) - title.count)
    lines =
      [title]
      + columns.indices.map { index in
        let value = values[index]
        let isColored = colors && columns[index].style == .colored && !value.isEmpty
        let shown = isColored ? Color(of: value).paint(value) : value
        let padding = String(repeating: " ", count: margin - Terminal.columns(of: headings[index]))
        return headings[index] + padding + (value.isEmpty ? "|" : "| " + shown)
      }
  }

  private static func dashes(_ count: Int) -> String { String(repeating: "-", count: max(0, count)) }
}
