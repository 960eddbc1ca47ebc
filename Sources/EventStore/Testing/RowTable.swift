internal import LibPQ

/// Rows of a query, in the comments below it, in the form of psql:
///
///     -- id      | status
///     -- --------+-------
///     -- order-1 | paid
///
/// A cell is the text of a value as PostgreSQL prints it. A text that could be read as something else is a JSON string:
/// an empty text, `NULL`, a text with a line break or a `|`, with a blank at an end, or that begins with a quote or
/// `@`.
struct RowTable: Sendable {
  let columns: [ByteString]
  let rows: [[ByteString]]
  /// The lines of the file, counted from 0.
  let lines: Range<Int>
  /// The place of each row.
  let locations: [SQLLocation]

  /// Reads the comments directly after a query; nil if there are none.
  ///
  /// - Parameters:
  ///   - last: the query's last line, counted from 1.
  ///   - end: the section's last line.
  init?(
    _ lines: [ArraySlice<UInt8>],
    after last: Int,
    upTo end: Int,
    of file: String
  ) throws(SQLFileError) {
    var contents: [(text: ArraySlice<UInt8>, location: SQLLocation)] = []
    for index in last..<max(last, end) {
      let line = lines[index].drop(while: JSONScanner.isWhitespace)
      guard line.starts(with: "--".utf8) else { break }
      let column = lines[index].prefix(line.startIndex - lines[index].startIndex).count + 1
      contents.append((line.dropFirst(2), SQLLocation(line: index + 1, column: column)))
    }
    guard let header = contents.first else { return nil }
    self.lines = last..<last + contents.count
    func fault(_ message: String, _ location: SQLLocation) -> SQLFileError {
      SQLFileError(file: file, location: location, message: message, hint: Self.hint)
    }
    guard contents.count > 1, contents[1].text.contains(UInt8(ascii: "-")),
      contents[1].text.allSatisfy({ "-+ \t\r".utf8.contains($0) })
    else { throw fault("this is no table of rows", header.location) }
    guard let columns = Self.cells(header.text) else {
      throw fault("a string in the heading is not closed", header.location)
    }
    contents.removeFirst(2)
    let count = contents.last.flatMap { Self.rowCount($0.text) }
    if let count, let footer = contents.popLast(), count != contents.count {
      throw fault("the table has \(counted(contents.count, "row")), not \(count)", footer.location)
    }
    var rows: [[ByteString]] = []
    for (text, location) in contents {
      guard let cells = Self.cells(text) else { throw fault("a string of this row is not closed", location) }
      guard cells.count == columns.count else {
        throw fault(
          "this row has \(counted(cells.count, "value")), and the heading \(counted(columns.count, "column"))",
          location
        )
      }
      rows.append(cells)
    }
    (self.columns, self.rows) = (columns, rows)
    locations = contents.map(\.location)
  }

  private static let hint =
    "Write the rows as psql prints them, each line behind \"-- \", and an empty line below them."

  /// The N of a last line `(N rows)`.
  private static func rowCount(_ text: ArraySlice<UInt8>) -> Int? {
    let words = String(decoding: text, as: UTF8.self).trimmed.unicodeScalars.split(separator: " ").map(
      String.init
    )
    guard words.count == 2, words[0].utf8.first == UInt8(ascii: "("),
      words[1] == "rows)" || words[1] == "row)"
    else { return nil }
    return Int(String(words[0].unicodeScalars.dropFirst()))
  }

  /// The cells of a line; nil if a string is not closed, or text follows it.
  private static func cells(_ line: ArraySlice<UInt8>) -> [ByteString]? {
    var cells: [ByteString] = []
    var rest = line
    while true {
      rest = rest.drop(while: JSONScanner.isWhitespace)
      if rest.first == UInt8(ascii: "\"") {
        guard let end = endOfString(rest) else { return nil }
        cells.append(ByteString(String(decoding: rest[..<end], as: UTF8.self)))
        rest = rest[end...].drop(while: JSONScanner.isWhitespace)
        guard let next = rest.first else { return cells }
        guard next == UInt8(ascii: "|") else { return nil }
      } else {
        let cell = rest.prefix { $0 != UInt8(ascii: "|") }
        cells.append(ByteString(String(decoding: cell, as: UTF8.self).trimmed))
        rest = rest[cell.endIndex...]
        if rest.isEmpty { return cells }
      }
      rest.removeFirst()
    }
  }

  /// The index after the closing quote of the string at the beginning of the text.
  private static func endOfString(_ text: ArraySlice<UInt8>) -> Int? {
    var index = text.startIndex + 1
    while index < text.endIndex {
      switch text[index] {
      case UInt8(ascii: "\\"): index += 2
      case UInt8(ascii: "\""): return index + 1
      default: index += 1
      }
    }
    return nil
  }

  /// The lines of a table, without the hyphens before them.
  static func lines(_ columns: [ByteString], _ rows: [[ByteString]]) -> [String] {
    let widths = columns.indices.map { column in
      ([columns] + rows).reduce(0) { max($0, $1[column].string.unicodeScalars.count) }
    }
    func line(_ cells: [ByteString]) -> String {
      let padded = zip(cells, widths).map { cell, width in
        cell.string + String(repeating: " ", count: width - cell.string.unicodeScalars.count)
      }
      let text = padded.joined(separator: " | ")
      return String(String.UnicodeScalarView(text.unicodeScalars.reversed().drop { $0 == " " }.reversed()))
    }
    let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "-+-")
    return [line(columns), rule] + rows.map(line) + (rows.isEmpty ? ["(0 rows)"] : [])
  }
}
