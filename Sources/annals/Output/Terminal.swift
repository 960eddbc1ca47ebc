internal import Glibc

/// What a terminal can show.
enum Terminal {
  /// Columns of the terminal on standard output; COLUMNS wins, 80 where nothing tells.
  static var width: Int {
    if let columns = CLibrary.environment("COLUMNS").flatMap({ Int($0) }), columns > 0 { return columns }
    return CLibrary.terminalColumns(STDOUT_FILENO) ?? 80
  }

  /// How many columns a text takes: none for combining marks, two for wide characters and emoji.
  ///
  /// The C library knows the Unicode tables, once its character type is UTF-8.
  static func columns(of text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + columns(of: $1) }
  }

  private static func columns(of character: Character) -> Int {
    guard CLibrary.hasUTF8CharacterType, let first = character.unicodeScalars.first else { return 1 }
    // U+FE0F asks for the emoji form of a character, which is wide.
    if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
    return max(0, Int(wcwidth(wchar_t(bitPattern: first.value))))
  }

  /// The beginning of a line that fits, with an ellipsis where something was left out.
  static func cut(_ line: String, to width: Int) -> String {
    guard columns(of: line) > width else { return line }
    var (kept, used) = ("", 0)
    for character in line {
      let needed = columns(of: character)
      if used + needed > width - 1 { break }
      kept.append(character)
      used += needed
    }
    return kept + "…"
  }
}
