/// The scalars that may hide a quote from a search by Character: all combining, prepending, joining, format and
/// control scalars that Unicode has, and whatever else Swift joins with an apostrophe before or after it.
package let joiningScalars: [Unicode.Scalar] = (1...0x10FFFF).compactMap { Unicode.Scalar($0 as UInt32) }
  .filter {
    switch $0.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .format, .control: return true
    case .unassigned, .privateUse, .surrogate: return false
    default: return "\($0)'".count == 1 || "'\($0)".count == 1
    }
  }

/// Texts in which the quotes stand before, after and between each of the ``joiningScalars``.
package func hostileTexts(around quotes: [Unicode.Scalar]) -> [String] {
  joiningScalars.flatMap { mark in
    quotes.flatMap { quote in
      [
        "x\(mark)\(quote)", "\(quote)\(mark)y", "\(mark)\(quote)\(mark)\(quote)\(quote)",
        "\(quote)\u{200D}\(mark)\(quote)",
      ]
    }
  }
}
