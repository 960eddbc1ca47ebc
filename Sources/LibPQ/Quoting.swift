// Quotes are looked for among bytes, as PostgreSQL does. A Character would not do: a quote that is after U+0600 or
// before a combining mark is part of a longer Character, and would not be doubled. No byte of a longer UTF-8 sequence
// looks like one of ASCII. A NUL needs no rule here: no statement that holds one is sent (Connection.checkSendable).

/// An identifier as SQL, always quoted (manual, "Identifiers and Key Words").
package func quoteIdentifier(_ name: String) -> String {
  enclose(name, in: "\"", doubling: ["\""])
}

/// A string constant as SQL, for statements that take no parameters (DO, CREATE, COMMENT) and for SQL that is shown.
///
/// It is what PostgreSQL's quote_literal returns: with a backslash inside it is of the form E'', which means the
/// same whatever standard_conforming_strings says.
package func quoteLiteral(_ text: String) -> String {
  text.utf8.contains(UInt8(ascii: "\\"))
    ? "E" + enclose(text, in: "'", doubling: ["'", "\\"]) : enclose(text, in: "'", doubling: ["'"])
}

/// A string constant as SQL between dollar signs, for code: it stays as it is (manual, "Dollar-Quoted String
/// Constants").
package func quoteDollar(_ text: String) -> String {
  var (tag, number) = ("$annals$", 0)
  // It ends: each tag is another one, and a text holds fewer of them than it has bytes. The sign that follows the text
  // may complete one.
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

/// Whether SQL reads the name as it is, without quotes and folding (keywords aside).
package func isPlainIdentifier(_ name: String) -> Bool {
  guard let first = name.utf8.first, first == UInt8(ascii: "_") || (97...122).contains(first) else {
    return false
  }
  return name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
}
