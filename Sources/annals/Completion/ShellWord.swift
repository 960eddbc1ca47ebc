/// A word that sh, bash, zsh and fish read unchanged, for a command line that is shown.
///
/// All text for a shell is quoted here. It goes by scalars: as a Character, a quote beside a combining mark would be
/// another one.
func quoteShell(_ text: String) -> String {
  // Not plain: = at the beginning (zsh inserts a path), ~, and % (jobs).
  let isPlain = text.utf8.allSatisfy { byte in
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || "-_./:@+,".utf8.contains(byte)
  }
  if isPlain, !text.isEmpty { return text }
  var word = "'"
  for scalar in text.unicodeScalars {
    switch scalar {
    // fish takes a backslash before a quote as an escape, also inside quotes: so both are outside of them.
    case "'", "\\": word.unicodeScalars.append(contentsOf: "'\\\(scalar)'".unicodeScalars)
    default: word.unicodeScalars.append(scalar)
    }
  }
  word.unicodeScalars.append("'")
  return word
}

/// The same for a word that is not an option of the command, whatever its first character is.
func quoteShellOperand(_ text: String) -> String {
  (text.utf8.first == UInt8(ascii: "-") ? "-- " : "") + quoteShell(text)
}
