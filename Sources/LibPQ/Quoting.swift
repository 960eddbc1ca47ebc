// Quotes are searched in bytes, as in PostgreSQL, and not in Characters: a quote after U+0600 or before a combining
// mark is part of a longer Character, and would not be doubled. No byte of a longer UTF-8 sequence looks like an ASCII
// character. A NUL needs no rule here: a statement with a NUL is never sent (Connection.checkSendable).

/// An identifier as SQL, always quoted (manual, "Identifiers and Key Words").
package func quoteIdentifier(_ name: String) -> String {
  enclose(name, in: "\"", doubling: ["\""])
}

/// A string constant as SQL, for statements that take no parameters (DO, CREATE, COMMENT) and for SQL that is shown.
///
/// The same as PostgreSQL's quote_literal: with a backslash inside it has the form E'', which means the
/// same whatever standard_conforming_strings says.
package func quoteLiteral(_ text: String) -> String {
  text.utf8.contains(UInt8(ascii: "\\"))
    ? "E" + enclose(text, in: "'", doubling: ["'", "\\"]) : enclose(text, in: "'", doubling: ["'"])
}

/// A string constant as SQL between dollar signs, for code, which is not changed (manual, "Dollar-Quoted String
/// Constants").
package func quoteDollar(_ text: String) -> String {
  var (tag, number) = ("$annals$", 0)
  // The loop ends: each tag is another one, and a text contains fewer of them than it has bytes. The sign after the
  // text may complete one.
  let followed = text + "$"
  while followed.utf8.contains(tag.utf8) {
    number += 1
    tag = "$annals_\(number)$"
  }
  return tag + text + tag
}

private func enclose(_ text: String, in quote: Unicode.Scalar, doubling special: [Unicode.Scalar]) -> String {
  var quoted = String.UnicodeScalarView([quote])
  for scalar in text.unicodeScalars {
    if special.contains(scalar) { quoted.append(scalar) }
    quoted.append(scalar)
  }
  quoted.append(quote)
  return String(quoted)
}

/// Whether SQL reads the name unchanged without quotes (keywords aside).
package func isPlainIdentifier(_ name: String) -> Bool {
  guard let first = name.utf8.first, first == UInt8(ascii: "_") || (97...122).contains(first) else {
    return false
  }
  return name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
}
