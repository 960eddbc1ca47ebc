import EventStore
import Testing

@testable import annals

/// The builder of pages, and the pictures.
@Suite struct HTMLTests {
  @Test(arguments: [
    ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
    ("</style></script>", "&lt;/style&gt;&lt;/script&gt;"),
    ("a & \"b\" 'c'", "a &amp; &quot;b&quot; &#39;c&#39;"),
    ("a\u{202E}b", "a\\u{202e}b"), ("\u{1B}[2J\n", "\\u{1b}[2J\\n"), ("\"\u{301}", "&quot;\u{301}"),
    ("größer", "größer"), ("", ""),
  ])
  func textIsEscaped(text: String, expected: String) {
    #expect(HTML.text(text).markup == expected)
    let element = HTML.element("b", [.init("title", text)], text: text)
    #expect(element.markup == "<b title=\"\(expected)\">\(expected)</b>")
  }

  @Test(arguments: [
    (0.0, "0"), (0.04, "0"), (0.05, "0.1"), (-0.25, "-0.3"), (12.0, "12"), (1234.56, "1234.6"), (.nan, "0"),
    (.infinity, "0"), (-.infinity, "0"), (1e300, "0"),
  ])
  func numbersOfPictures(number: Double, expected: String) {
    #expect(HTML.decimal(number) == expected)
  }

  /// RFC 4648, section 10, and FIPS 180-4's example.
  @Test func hashesOfPolicies() {
    let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map { HTMLPage.base64(Array($0.utf8)) }
    #expect(texts == ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"])
    #expect(HTMLPage.base64(SHA256.hash(of: "abc")) == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
  }

  /// No number, one number, and numbers that no axis has are drawn without a trap.
  @Test func picturesOfOddNumbers() {
    let numbers: [Double] = [0, -1, 1, 1e18, .infinity, .nan]
    for count in [0, 1, 6] {
      let marks = numbers.prefix(count).map { Chart.Mark(label: "<>", value: $0, shown: "&") }
      let points = numbers.prefix(count).map { Chart.Point(place: $0, value: $0, label: "<") }
      let ranges = numbers.prefix(count).map {
        Chart.Range(label: "<", low: $0, high: $0, highest: $0, shown: "<")
      }
      for chart in [
        Chart.bars(marks), .rows(marks), .line(points, band: []), .ranges(ranges),
        .week(Array(repeating: Array(numbers.prefix(count)), count: 7)),
      ] {
        let svg = chart.svg(id: "x", title: "a < b").markup
        #expect(svg.hasPrefix("<svg viewBox=\"0 0 720 ") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("role=\"img\" aria-labelledby=\"x\"><title id=\"x\">a &lt; b</title>"))
        #expect(!svg.contains("nan") && !svg.contains("inf\""))
      }
    }
  }

  @Test func aForecastIsThatOfTheRates() throws {
    func point(_ day: Int64, _ bytes: Double) -> (Timestamp, Double) {
      (Timestamp(microseconds: day * 86_400_000_000), bytes)
    }
    #expect(ReportForecast([point(0, 1), point(1, 2)], size: 2) == nil)
    #expect(ReportForecast([point(0, 1), point(0, 2), point(0, 3)], size: 3) == nil)
    let even = try #require(ReportForecast([point(0, 100), point(1, 110), point(2, 120)], size: 120))
    #expect(even.band.map(\.middle) == [120, 420, 720, 1020])
    #expect(even.band.allSatisfy { $0.low == $0.middle && $0.high == $0.middle })
    #expect(even.sentence == "It grows by 70 B a week, and has twice its size on 2000-01-15.")
    let uneven = try #require(ReportForecast([point(0, 100), point(1, 100), point(2, 130)], size: 130))
    #expect(uneven.band[1].low < uneven.band[1].middle && uneven.band[1].middle < uneven.band[1].high)
    let shrinking = try #require(ReportForecast([point(0, 90), point(1, 50), point(2, 10)], size: 10))
    #expect(shrinking.sentence == "It does not grow." && shrinking.band.allSatisfy { $0.low >= 0 })
  }
}
