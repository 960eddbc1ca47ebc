import Synchronization
import TestSupport
import Testing

@testable import EventStore
@testable import annals

@Suite struct TextEscapingTests {
  @Test(arguments: [
    ("plain ascii", "plain ascii"),
    ("Jürgen 注文 🎉", "Jürgen 注文 🎉"),
    ("a\nb\tc\rd\r\n", "a\\nb\\tc\\rd\\r\\n"),
    ("\u{1B}[31mred", "\\u{1b}[31mred"),
    ("\u{9B}31m", "\\u{9b}31m"),
    ("\0\u{7F}", "\\u{0}\\u{7f}"),
    ("\u{202E}txt.exe\u{2066}", "\\u{202e}txt.exe\\u{2066}"),
    ("x\u{1B}\u{301}", "x\\u{1b}\u{301}"),
    ("a\u{200B}\u{FEFF}\u{E0041}b", "a\\u{200b}\\u{feff}\\u{e0041}b"), ("👩‍👩‍👧 می‌خواهم", "👩‍👩‍👧 می‌خواهم"),
  ])
  func forPeople(text: String, shown: String) {
    #expect(Array(TextEscaping.forPeople(text).unicodeScalars) == Array(shown.unicodeScalars))
  }

  @Test(arguments: [
    ("", ""), ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""),
    ("two\nlines", "\"two\nlines\""), ("a\r\nb", "\"a\r\nb\""),
    // An accent on the quote must not hide it.
    ("\"\u{301}", "\"\"\"\u{301}\""),
  ])
  func quotedCells(text: String, cell: String) {
    #expect(Array(TextEscaping.csvCell(text).utf8) == Array(cell.utf8))
  }

  @Test(arguments: [
    "=1+1", "+cmd", "-2+3", "@SUM(A1)", "=\u{301}x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x",
  ])
  func formulasArePrefixed(text: String) {
    let cell = TextEscaping.csvCell(text).drop { $0 == "\"" }
    #expect(cell.unicodeScalars.first == "'")
  }

  @Test(arguments: ["-1", "+1.5", "-1e-9", "0"])
  func numbersStayNumbers(text: String) {
    #expect(TextEscaping.csvCell(text) == text)
  }
}

@Suite struct TerminalTests {
  @Test(arguments: [
    ("abc", 3), ("é", 1), ("e\u{301}", 1), ("注文", 4), ("한글", 4), ("🎉", 2), ("👩‍👩‍👧‍👦", 2), ("🇧🇷", 2),
    ("❤️", 2), ("\u{200B}", 0), ("ｱ", 1), ("Ａ", 2), ("\u{0600}a", 1),
    ("क्ष", 2), ("\u{1112}\u{1161}\u{11AB}", 2),
  ])
  func columns(text: String, columns: Int) {
    #expect(Terminal.columns(of: text) == columns)
  }

  @Test(arguments: [
    ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("注文注文", 8, "注文注文"), ("注文注文", 6, "注文…"),
    ("注文注文", 4, "注…"), ("abc", 1, "…"),
  ])
  func cut(text: String, width: Int, cut: String) {
    #expect(Terminal.cut(text, to: width) == cut)
    #expect(Terminal.columns(of: Terminal.cut(text, to: width)) <= width)
  }
}

@Suite struct CutNameTests {
  private static let net = "Shop.Ordering.Events.OrderPlaced, Shop.Ordering"

  @Test(arguments: [
    (net, 47, net), (net, 46, "Shop.Ordering.Events.OrderPlaced…"),
    (net, 33, "Shop.Ordering.Events.OrderPlaced…"),
    (net, 32, "…hop.Ordering.Events.OrderPlaced"), (net, 12, "…OrderPlaced"), (net, 8, "…OrderP…"),
    (net, 1, "…"),
    (#"App\Shop\OrderPlaced"#, 14, #"…p\OrderPlaced"#), ("Shop::OrderPlaced", 12, "…OrderPlaced"),
    ("shop.注文.注文済み", 9, "…注文済み"), ("OrderPlacedBySomebody", 12, "OrderPlaced…"), ("a b, c d", 4, "a b…"),
    ("   └─ Shop.Events.OrderPlaced", 18, "   └─ …OrderPlaced"), ("   └─ Shop.OrderPlaced", 8, "   └─ ……"),
  ])
  func theLastPartIsKept(name: String, width: Int, cut: String) {
    #expect(Terminal.cutName(name, to: width) == cut)
    #expect(Terminal.columns(of: Terminal.cutName(name, to: width)) <= width)
  }
}

@Suite struct FieldTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (-1000, "-1,000"), (1_234_567, "1,234,567"),
    (Int64.min, "-9,223,372,036,854,775,808"),
  ])
  func grouped(number: Int64, text: String) {
    #expect(Field.grouped(number) == text)
  }

  @Test func jsonQuoting() {
    #expect(JSONObject.quote("a\"b\\c\n\t\r\u{1}\u{1F}\u{7F}") == #""a\"b\\c\n\t\r\u0001\u001f\u007f""#)
    #expect(JSONObject.quote("é🎉\u{2028}\u{9B}") == #""é🎉\u2028\u009b""#)
    #expect(JSONObject.quote("\"\u{301}") == "\"\\\"\u{301}\"")
  }
}

@Suite struct RecordPrinterTests {
  struct Row: Record {
    let cells: [Field]
    static let columns: [Column<Self>] = [
      Column("id") { $0.cells[0] }, Column("count") { $0.cells[1] }, Column("data") { $0.cells[2] },
    ]
  }

  private func printed(
    _ format: OutputFormat,
    _ rows: [[Field]],
    width: Int? = nil,
    expanded: Bool = false
  ) -> String {
    let text = Mutex("")
    let style = RecordStyle(format: format, isExpanded: expanded)
    var printer = RecordPrinter<Row>(style, maximumWidth: width) { piece in text.withLock { $0 += piece } }
    for row in rows { printer.print(Row(cells: row)) }
    printer.finish()
    return text.withLock { $0 }
  }

  private let rows: [[Field]] = [
    [.text("注文-1"), .integer(1_234_567), .json(#"{"a":"=1"}"#)],
    [.text("=x\u{1B}"), .integer(-5), .null],
    [.text("🎉"), .null, .bool(true)],
  ]

  @Test func table() {
    let expected = """
      ID            COUNT  DATA
      注文-1    1,234,567  {"a":"=1"}
      =x\\u{1b}         -5  \n\
      🎉                   true

      """
    #expect(printed(.table, rows) == expected)
    #expect(printed(.table, []) == "")
  }

  @Test func aTableFitsInTheTerminal() {
    let long = rows.map { [$0[0], $0[1], .text(String(repeating: "注e\u{301}", count: 30))] }
    for width in 1...40 {
      for line in printed(.table, long, width: width).split(separator: "\n") {
        #expect(Terminal.columns(of: String(line)) <= width)
      }
    }
  }

  /// Half a number is useless, and the last line names the columns that are not shown.
  @Test func aNumberIsWholeOrLeftOut() {
    let long: [[Field]] = [[.text(String(repeating: "a", count: 30)), .integer(1_234_567), .null]]
    #expect(printed(.table, long, width: 24) == "ID                 COUNT\naaaaaaaaaaaa…  1,234,567\n")
    let text = printed(.table, long, width: 20)
    #expect(text == "ID\naaaaaaaaaaaaaaaaaaa…\n(-x also shows COUN…\n")
  }

  /// As psql's \x, whatever the width of the terminal is.
  @Test func blocks() {
    let expected = """
      -[ RECORD 1 ]-----
      ID    | 注文-1
      COUNT | 1,234,567
      DATA  | {"a":"=1"}
      -[ RECORD 2 ]---
      ID    | =x\\u{1b}
      COUNT | -5
      DATA  |
      -[ RECORD 3 ]
      ID    | 🎉
      COUNT |
      DATA  | true

      """
    #expect(printed(.table, rows, expanded: true) == expected)
    #expect(printed(.table, rows, width: 12, expanded: true).contains("DATA  | {\"a\":\"=1\"}\n"))
    #expect(printed(.table, [], expanded: true) == "")
  }

  @Test func theLineOfABlockShowsWhereValuesBegin() {
    struct Wide: Record {
      static let columns: [Column<Self>] = [Column("dead_letters") { _ in .text("none at all") }]
    }
    let text = Mutex("")
    var printer = RecordPrinter<Wide>(RecordStyle(isExpanded: true)) { piece in text.withLock { $0 += piece }
    }
    printer.print(Wide())
    #expect(text.withLock { $0 } == "-[ RECORD 1 ]+------------\nDEAD LETTERS | none at all\n")
  }

  /// The widths come from the first 500 rows; the rest is printed as it comes.
  @Test func longTableStreams() {
    let lines = printed(.table, Array(repeating: [.text("a"), .integer(1), .text("b")], count: 1200))
      .split(separator: "\n")
    #expect(lines.count == 1201)
    #expect(Set(lines.dropFirst()) == ["a       1  b"])
  }

  @Test func ndjson() {
    let expected = """
      {"id":"注文-1","count":1234567,"data":{"a":"=1"}}
      {"id":"=x\\u001b","count":-5,"data":null}
      {"id":"🎉","count":null,"data":true}

      """
    #expect(printed(.ndjson, rows) == expected)
    #expect(printed(.ndjson, []) == "")
  }

  @Test func json() {
    let lines = printed(.ndjson, rows).dropLast().split(separator: "\n").joined(separator: ",\n")
    #expect(printed(.json, rows) == "[\n\(lines)\n]\n")
    #expect(printed(.json, []) == "[]\n")
  }

  @Test func csv() {
    let expected = [
      "id,count,data", #"注文-1,1234567,"{""a"":""=1""}""#, "'=x\u{1B},-5,", "🎉,,true", "",
    ]
    #expect(printed(.csv, rows) == expected.joined(separator: "\r\n"))
    #expect(printed(.csv, []) == "id,count,data\r\n")
  }
}

@Suite struct GraphTests {
  @Test(arguments: [
    (0, "          "), (1, "██████████"), (0.5, "█████     "), (0.000_001, "▏         "),
    (0.999_999, "█████████▉"),
    (0.37, "███▊      "), (-1, "          "), (2, "██████████"),
  ])
  func bar(share: Double, bar: String) {
    #expect(Graph.bar(share) == bar)
  }

  @Test(arguments: [([], ""), ([0, 0], "··"), ([1, 0, 8, 4], "▂·█▅"), ([5], "█")])
  func sparkline(numbers: [Int64], line: String) {
    #expect(Graph.sparkline(numbers) == line)
  }

  /// At a terminal, which `script` pretends to be, and nowhere else.
  @Test func picturesAreForTerminals() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp) VALUES
          ('a', 'Often', '{}', 1, now() - interval '10 seconds'), ('a', 'Often', '{}', 2, now() - interval '2 hours'),
          ('a', 'Often', '{}', 3, now() - interval '3 days'), ('a', 'Once', '{}', 4, now() - interval '3 days');
        """
      )
      let environment = db.environment.merging(["COLUMNS": "200", "SHELL": "/bin/sh"]) { $1 }
      let terminal = try await runShell(
        "script -qec \"'\(AnnalsBinary.path)' types\" /dev/null < /dev/null",
        environment: environment
      )
      #expect(terminal.standardOutput.contains("75.0%  ███████▌    "), "\(terminal.standardOutput)")
      #expect(terminal.standardOutput.contains("·····················█·█  "), "\(terminal.standardOutput)")
      let piped = try await annals(["types"]).standardOutput
      // Not "24" alone, which a time may hold.
      #expect(terminal.standardOutput.contains("24 H"), "\(terminal.standardOutput)")
      #expect(piped.contains("75.0%") && !piped.contains("█") && !piped.contains("24 H"), "\(piped)")
      let asJSON = try await runShell(
        "script -qec \"'\(AnnalsBinary.path)' types -o ndjson\" /dev/null < /dev/null",
        environment: environment
      )
      #expect(asJSON.standardOutput.contains(#""share":0.75,"first_seen":"#), "\(asJSON.standardOutput)")
    }
  }

  @Test func aProjectionShowsHowFarItIs() {
    let status = ProjectionStatus(
      name: "orders",
      generation: 2,
      version: 1,
      state: .building,
      isLive: true,
      position: 50,
      headPosition: 100,
      lagEvents: 50,
      isLagLowerBound: false,
      lagSeconds: 0,
      rows: 0,
      events: 50,
      deadLetters: 0,
      error: nil,
      movedAt: Timestamp(microseconds: 0),
      upcasters: []
    )
    let columns = PicturedProjectionRecord.columns.map(\.name)
    #expect(columns[3...5] == ["state", "done", "position"])
    guard case .text(let bar) = PicturedProjectionRecord(status: status).fields[4]
    else {
      Issue.record("no bar")
      return
    }
    #expect(bar == "█████     ")
  }
}
