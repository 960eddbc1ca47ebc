/// A report in words, numbers and charts, before it becomes a page or a text.
struct ReportDocument: Sendable {
  let title: String
  let subtitle: String
  let verdict: [Judgement]
  let sections: [Section]

  /// Whether someone must act.
  var isBad: Bool { verdict.contains { $0.status == .bad } }

  /// One subject of the report, and whether it is well.
  struct Judgement: Sendable {
    let status: Status
    let text: String

    enum Status: String, Sendable {
      case good, warn, bad

      /// A word, since many people cannot see colour, and print may not have it.
      var word: String {
        switch self {
        case .good: "✔ OK"
        case .warn: "▲ NOTE"
        case .bad: "✖ PROBLEM"
        }
      }
    }
  }

  /// A section: the question that it answers, a chart, and below it the table of its numbers.
  struct Section: Sendable {
    let title: String
    let question: String
    var notes: [String] = []
    var pictures: [Picture] = []
    var tables: [Table] = []
  }

  struct Picture: Sendable {
    let title: String
    let chart: Chart
    var unit: @Sendable (Double) -> String = { HTML.decimal($0) }
  }

  struct Table: Sendable {
    let caption: String
    let columns: [Column]
    var rows: [[Cell]]
    /// Whether it has many narrow columns.
    var isDense = false

    /// Whether a column contains numbers.
    struct Column: Sendable {
      let title: String
      let isNumber: Bool

      static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
      static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }
  }

  struct Cell: Sendable, ExpressibleByStringInterpolation {
    let text: String
    /// A small chart before the text.
    var spark: [Double]?

    init(_ text: String, spark: [Double]? = nil) { (self.text, self.spark) = (text, spark) }
    init(stringLiteral text: String) { self.init(text) }
    init(_ number: Int64, isEstimate: Bool = false) {
      self.init((isEstimate ? "≈ " : "") + Field.grouped(number))
    }
  }

  /// Bytes in psql's form, with a decimal.
  static func bytes(_ bytes: Double) -> String {
    var (rest, index) = (bytes, 0)
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while rest.magnitude >= 1024, index < units.count - 1 { (rest, index) = (rest / 1024, index + 1) }
    return "\(HTML.decimal(rest)) \(units[index])"
  }

  /// A number of things on an axis: 1,200 or 3.4 M.
  static func short(_ number: Double) -> String {
    switch number.magnitude {
    case 1e9...: "\(HTML.decimal(number / 1e9)) G"
    case 1e6...: "\(HTML.decimal(number / 1e6)) M"
    case 1e4...: "\(HTML.decimal(number / 1e3)) k"
    default: HTML.decimal(number)
    }
  }
}
