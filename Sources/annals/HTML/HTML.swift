/// A piece of a page. Text is always escaped when it is inserted: only text in the source of this program is used as
/// markup.
struct HTML: Sendable {
  private(set) var markup = ""

  /// Empty.
  init() {}

  private init(markup: String) { self.markup = markup }

  /// A text for people: none of its characters can begin markup, or change the direction of the line.
  static func text(_ text: String) -> HTML { HTML(markup: escape(TextEscaping.forPeople(text))) }

  /// Markup from the source.
  static func raw(_ markup: StaticString) -> HTML { HTML(markup: markup.description) }

  /// An element with its end tag.
  static func element(_ name: StaticString, _ attributes: [Attribute] = [], _ content: HTML...) -> HTML {
    element(name, attributes, content)
  }

  static func element(_ name: StaticString, _ attributes: [Attribute] = [], _ content: [HTML]) -> HTML {
    var markup = tag(name, attributes)
    for part in content { markup += part.markup }
    return HTML(markup: markup + "</\(name)>" + (ending.contains(name.description) ? "\n" : ""))
  }

  /// Elements that end a line, so that two pages can be compared.
  private static let ending: Set = [
    "h1", "h2", "li", "p", "polygon", "polyline", "rect", "section", "svg", "text", "tr",
  ]

  /// An element without content, as HTML defines it.
  static func void(_ name: StaticString, _ attributes: [Attribute] = []) -> HTML {
    HTML(markup: tag(name, attributes))
  }

  /// An element that contains only a text.
  static func element(_ name: StaticString, _ attributes: [Attribute] = [], text: String) -> HTML {
    element(name, attributes, [.text(text)])
  }

  static func + (left: HTML, right: HTML) -> HTML { HTML(markup: left.markup + right.markup) }

  static func += (left: inout HTML, right: HTML) { left.markup += right.markup }

  private static func tag(_ name: StaticString, _ attributes: [Attribute]) -> String {
    var markup = "<\(name)"
    for attribute in attributes {
      markup += " \(attribute.name)=\"\(escape(TextEscaping.forPeople(attribute.value)))\""
    }
    return markup + ">"
  }

  /// Characters that could end a text or an attribute become character references.
  private static func escape(_ text: String) -> String {
    let special: [UInt8] = [0x22, 0x26, 0x27, 0x3C, 0x3E]
    guard text.utf8.contains(where: special.contains) else { return text }
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
      default: escaped.append(scalar)
      }
    }
    return String(escaped)
  }

  /// A name from the source, and a value that is escaped.
  struct Attribute: Sendable {
    let name: StaticString
    let value: String

    init(_ name: StaticString, _ value: String) { (self.name, self.value) = (name, value) }
    init(_ name: StaticString, _ value: Int) { self.init(name, String(value)) }

    /// A length in a chart, to a tenth: the same text on every machine.
    init(_ name: StaticString, _ value: Double) { self.init(name, HTML.decimal(value)) }
  }

  /// A number with at most one decimal.
  static func decimal(_ value: Double) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "0" }
    let tenths = Int64((value * 10).rounded())
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    return (tenths < 0 ? "-" : "") + "\(whole)" + (rest == 0 ? "" : ".\(rest)")
  }
}

/// A self-contained page: without a script, and with one style, which its policy names by its hash. Even unescaped
/// markup could load nothing and run nothing.
enum HTMLPage {
  static func page(title: String, style: StaticString, styleHash: String, _ body: HTML...) -> String {
    let policy = "default-src 'none'; style-src 'sha256-\(styleHash)'; base-uri 'none'; form-action 'none'"
    let head: [HTML] = [
      .void("meta", [.init("charset", "utf-8")]),
      .void("meta", [.init("http-equiv", "Content-Security-Policy"), .init("content", policy)]),
      .void("meta", [.init("name", "viewport"), .init("content", "width=device-width, initial-scale=1")]),
      .void("meta", [.init("name", "color-scheme"), .init("content", "light dark")]),
      .element("title", text: title),
      .element("style", [], .raw(style)),
    ]
    let page = HTML.element(
      "html",
      [.init("lang", "en")],
      .element("head", [], head),
      .element("body", [], body)
    )
    return "<!DOCTYPE html>\n" + page.markup + "\n"
  }

  /// The form of a hash in a policy (RFC 4648, section 4).
  static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
      for place in 0..<4 {
        let digit = digits[Int(bits >> (18 - 6 * UInt32(place)) & 63)]
        text.append(place <= group.count ? digit : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
