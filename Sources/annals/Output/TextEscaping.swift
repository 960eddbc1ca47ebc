/// Makes text of the store harmless where it is shown: it comes from anybody who could append an event.
enum TextEscaping {
  /// For a terminal: no character can move the cursor, change colours or turn the direction of the line.
  static func forPeople(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isDangerous) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": shown.append(contentsOf: "\\n".unicodeScalars)
      case "\t": shown.append(contentsOf: "\\t".unicodeScalars)
      case "\r": shown.append(contentsOf: "\\r".unicodeScalars)
      case _ where isDangerous(scalar):
        shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// Control characters, and those that change the direction of text or break the line.
  private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// A CSV cell: quoted where RFC 4180 wants it. A cell that a spreadsheet would take for a formula gets an
  /// apostrophe; numbers stay numbers.
  static func csvCell(_ text: String) -> String {
    // Scalars, not characters: an accent after the sign or the quote makes another character of it.
    let isFormula = text.unicodeScalars.first.map(formulaStarts.contains) == true && Double(text) == nil
    let safe = isFormula ? "'" + text : text
    guard safe.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return safe }
    let parts = safe.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + parts.map { String($0) }.joined(separator: "\"\"") + "\""
  }

  /// What makes a cell a formula (OWASP, "CSV Injection"), the full-width signs included.
  private static let formulaStarts: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
  ]
}
