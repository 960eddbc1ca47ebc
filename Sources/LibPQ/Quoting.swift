/// An identifier as SQL, always quoted (manual, "Identifiers and Key Words").
package func quoteIdentifier(_ name: String) -> String {
  "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

/// A string constant as SQL, for statements that take no parameters (COPY, DO, CREATE).
package func quoteLiteral(_ text: String) -> String {
  "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
}

/// Whether SQL reads the name as it stands, without quotes and folding (keywords aside).
package func isPlainIdentifier(_ name: String) -> Bool {
  guard let first = name.utf8.first, first == UInt8(ascii: "_") || (97...122).contains(first) else {
    return false
  }
  return name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
}
