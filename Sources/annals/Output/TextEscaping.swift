internal import EventStore

/// Makes text of the store harmless where it is shown: anybody who may append events can have written it.
enum TextEscaping {
  /// For a terminal: no character can move the cursor, change colours or change the direction of the line.
  static func forPeople(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isUnsafeToShow) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": shown.append(contentsOf: "\\n".unicodeScalars)
      case "\t": shown.append(contentsOf: "\\t".unicodeScalars)
      case "\r": shown.append(contentsOf: "\\r".unicodeScalars)
      case _ where scalar.isUnsafeToShow:
        shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// For programs and people: JSON text, in which such a character can only be inside a string, as a JSON escape.
  static func forJSON(_ json: String) -> String {
    guard json.unicodeScalars.contains(where: isEscapedInJSON) else { return json }
    var shown = String.UnicodeScalarView()
    for scalar in json.unicodeScalars {
      if isEscapedInJSON(scalar) {
        JSONObject.appendEscape(of: scalar, to: &shown)
      } else {
        shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// White space between the values of JSON stays.
  private static func isEscapedInJSON(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x7F && scalar.isUnsafeToShow
  }

  /// A CSV cell: quoted where RFC 4180 requires it. A cell that a spreadsheet would take as a formula gets an
  /// apostrophe; numbers stay numbers.
  static func csvCell(_ text: String) -> String {
    // Scalars, not characters: an accent after the sign or the quote makes another character of it.
    let isFormula = text.unicodeScalars.first.map(formulaStarts.contains) == true && Double(text) == nil
    let safe = isFormula ? "'" + text : text
    guard safe.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return safe }
    let parts = safe.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + parts.map { String($0) }.joined(separator: "\"\"") + "\""
  }

  /// The first characters of a formula (OWASP, "CSV Injection"), including the full-width signs.
  private static let formulaStarts: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
  ]
}
