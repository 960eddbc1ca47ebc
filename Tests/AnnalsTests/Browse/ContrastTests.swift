import Glibc
import Testing

@testable import annals

/// The colours of the pages and of the report, light, dark and on paper (WCAG 2.2, 1.4.3 and 1.4.11).
@Suite struct ContrastTests {
  /// Which colour is written on which, and the least contrast: 4.5 for texts, 3 for marks in a chart and edges of
  /// fields.
  private static let pairs = [
    "report": [
      ("text", "back", 4.5), ("soft", "back", 4.5), ("good", "back", 4.5), ("warn", "back", 4.5),
      ("bad", "back", 4.5), ("mark", "back", 3),
    ],
    "browse": [
      ("text", "back", 4.5), ("soft", "back", 4.5), ("mark", "back", 4.5), ("warn", "back", 4.5),
      ("text", "this", 4.5), ("mark", "this", 4.5), ("soft", "back", 3),
    ],
  ]

  @Test(arguments: [("report", ReportStyle.css.description), ("browse", BrowseStyle.css.description)])
  func textsAreReadable(name: String, css: String) throws {
    let styles = css.matches(of: /:root\{([^}]*)\}/).map { Self.colors(String($0.1)) }
    try #require(styles.count == 3, "light, dark, paper")
    for (style, colors) in zip(["light", "dark", "paper"], styles) {
      for (front, back, least) in try #require(Self.pairs[name]) {
        let contrast = Self.contrast(try #require(colors[front]), try #require(colors[back]))
        #expect(contrast >= least, "\(style): \(front) on \(back)")
      }
    }
  }

  /// The two extremes, and a pair that tools find slightly too low, and the next one sufficient.
  @Test func theFormula() {
    #expect(Self.contrast([0, 0, 0], [255, 255, 255]) == 21)
    #expect(Self.contrast([7, 7, 7], [7, 7, 7]) == 1)
    #expect(Self.contrast([119, 119, 119], [255, 255, 255]) < 4.5)
    #expect(Self.contrast([118, 118, 118], [255, 255, 255]) > 4.5)
  }

  /// `--name:#rgb` and `--name:#rrggbb`, by name.
  private static func colors(_ variables: String) -> [String: [Double]] {
    var colors: [String: [Double]] = [:]
    for variable in variables.matches(of: /--([a-z]+):#([0-9a-f]+)/) {
      let digits = variable.2.count == 3 ? variable.2.flatMap { [$0, $0] } : Array(variable.2)
      colors[String(variable.1)] = stride(from: 0, to: digits.count, by: 2).map {
        Double(Int(String(digits[$0..<$0 + 2]), radix: 16) ?? 0)
      }
    }
    return colors
  }

  /// WCAG 2.2, "contrast ratio" and "relative luminance".
  private static func contrast(_ one: [Double], _ other: [Double]) -> Double {
    let (one, other) = (luminance(one), luminance(other))
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
  }

  private static func luminance(_ color: [Double]) -> Double {
    let linear = color.map { byte in
      let share = byte / 255
      return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
}
