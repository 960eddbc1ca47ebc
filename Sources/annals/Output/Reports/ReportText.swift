/// A report as plain text: the body of a mail, in which style and charts would be lost.
struct ReportText {
  let document: ReportDocument

  var text: String {
    var lines = [document.title, document.subtitle, "", "1 VERDICT"]
    lines += document.verdict.map { "  \(padded($0.status.word, to: 10)) \($0.text)" }
    for (index, section) in document.sections.enumerated() {
      lines += ["", "\(index + 2) \(section.title.uppercased())"]
      lines += section.notes.map { "  \($0)" }
      for table in section.tables { lines += self.lines(of: table) }
    }
    return lines.map { TextEscaping.forPeople($0) + "\n" }.joined()
  }

  private func lines(of table: ReportDocument.Table) -> [String] {
    let titles = table.columns.map { $0.title.uppercased() }
    // Truncated advice would be useless: the last column is never cut.
    let last = titles.count - 1
    let rows =
      [titles]
      + table.rows.map { row in row.enumerated().map { Self.shown($1, width: $0 == last ? Int.max : 40) } }
    let widths = table.columns.indices.map { column in
      rows.map { Terminal.columns(of: $0[column]) }.max() ?? 0
    }
    let lines = rows.map { row in
      let cells = table.columns.indices.map { index in
        let gap = String(repeating: " ", count: max(0, widths[index] - Terminal.columns(of: row[index])))
        return table.columns[index].isNumber ? gap + row[index] : row[index] + gap
      }
      return String(("  " + cells.joined(separator: table.isDense ? " " : "  ")).trimmedAtEnd)
    }
    return (table.caption.isEmpty ? [] : ["  " + table.caption + ":"]) + lines
  }

  private static func shown(_ cell: ReportDocument.Cell, width: Int) -> String {
    let whole = TextEscaping.forPeople(cell.text)
    let text = width == Int.max ? whole : Terminal.cutName(whole, to: width)
    guard let spark = cell.spark else { return text }
    let most = max(spark.max() ?? 0, 1e-9)
    let blocks: [Unicode.Scalar] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    var line = String.UnicodeScalarView()
    for value in spark { line.append(blocks[min(7, Int(max(value, 0) / most * 7.99))]) }
    return String(line) + (text.isEmpty ? "" : " " + text)
  }

  private func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - Terminal.columns(of: text)))
  }
}

extension String {
  fileprivate var trimmedAtEnd: Substring {
    var scalars = unicodeScalars[...]
    while scalars.last == " " { scalars.removeLast() }
    return Substring(scalars)
  }
}
