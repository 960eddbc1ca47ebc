internal import EventStore

/// A report as one self-contained page.
struct ReportPage {
  let document: ReportDocument

  var text: String {
    let hash = HTMLPage.base64(SHA256.hash(of: ReportStyle.css.description))
    return HTMLPage.page(
      title: document.title,
      style: ReportStyle.css,
      styleHash: hash,
      .element(
        "header",
        [],
        .element("h1", text: document.title),
        .element("p", [.init("class", "soft")], text: document.subtitle)
      ),
      .element("main", [], [verdict] + document.sections.enumerated().map { section($1, number: $0 + 2) })
    )
  }

  private var verdict: HTML {
    let items = document.verdict.map { judgement in
      HTML.element(
        "li",
        [.init("class", judgement.status.rawValue)],
        .element("b", text: judgement.status.word),
        .text(" " + judgement.text)
      )
    }
    return .element("section", [], .element("h2", text: "1 Verdict"), .element("ul", [], items))
  }

  private func section(_ section: ReportDocument.Section, number: Int) -> HTML {
    var parts: [HTML] = [
      .element("h2", text: "\(number) \(section.title)"),
      .element("p", [.init("class", "soft")], text: section.question),
    ]
    parts += section.notes.map { .element("p", text: $0) }
    for (index, picture) in section.pictures.enumerated() {
      parts.append(picture.chart.svg(id: "p\(number)-\(index)", title: picture.title, unit: picture.unit))
    }
    return .element("section", [], parts + section.tables.map(table))
  }

  /// A name can have any length, but a page cannot.
  private static func cut(_ text: String) -> String {
    Terminal.cutName(TextEscaping.forPeople(text), to: 400)
  }

  private func table(_ table: ReportDocument.Table) -> HTML {
    let number = [HTML.Attribute("class", "number")]
    let head = table.columns.map { column in
      HTML.element("th", (column.isNumber ? number : []) + [.init("scope", "col")], text: column.title)
    }
    let rows = table.rows.map { row in
      HTML.element(
        "tr",
        [],
        zip(table.columns, row).map { column, cell in
          let spark = cell.spark.map { Chart.spark($0, title: "\(column.title) \(cell.text)") }
          return HTML.element(
            "td",
            column.isNumber ? number : [],
            (spark.map { [$0] } ?? []) + [.text(Self.cut(cell.text))]
          )
        }
      )
    }
    let caption = table.caption.isEmpty ? HTML() : .element("caption", text: table.caption)
    return .element(
      "div",
      [.init("class", table.isDense ? "scroll dense" : "scroll")],
      .element(
        "table",
        [],
        caption,
        .element("thead", [], .element("tr", [], head)),
        .element("tbody", [], rows)
      )
    )
  }
}
