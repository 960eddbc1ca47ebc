internal import LibPQ

extension Unicode.Scalar {
  /// Whether it can mislead a terminal or a reader: control characters (C0, DEL and C1), marks that change the
  /// direction of the text around them, line separators, and characters that take no space and join nothing.
  ///
  /// The joiners U+200C and U+200D stay: emoji and several scripts need them.
  package var isUnsafeToShow: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F,
      0xFEFF,
      0xFFF9...0xFFFB, 0xE0001, 0xE0020...0xE007F:
      true
    default: false
    }
  }
}

/// A string constant for SQL that people see and may also run: characters that are unsafe to show become escapes of
/// PostgreSQL (manual, "String Constants With Unicode Escapes").
func shownLiteral(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: \.isUnsafeToShow) else { return quoteLiteral(text) }
  var literal = String.UnicodeScalarView("U&'".unicodeScalars)
  for scalar in text.unicodeScalars {
    switch scalar {
    case "'", "\\": literal.append(contentsOf: [scalar, scalar])
    case _ where scalar.isUnsafeToShow:
      let hex = String(scalar.value, radix: 16)
      literal.append(
        contentsOf: ("\\+" + String(repeating: "0", count: 6 - hex.utf8.count) + hex).unicodeScalars
      )
    default: literal.append(scalar)
    }
  }
  literal.append("'")
  return String(literal)
}
