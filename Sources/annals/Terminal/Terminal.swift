internal import Glibc

/// The abilities of the terminal.
enum Terminal {
  /// Columns of the terminal on standard output; COLUMNS overrides it, and 80 is the default.
  static var width: Int {
    if let columns = CLibrary.environment("COLUMNS").flatMap({ Int($0) }), columns > 0 { return columns }
    return CLibrary.terminalColumns(STDOUT_FILENO) ?? 80
  }

  /// Current columns of the terminal on standard error, for a bar; COLUMNS would not follow a resize.
  static var errorWidth: Int { CLibrary.terminalColumns(STDERR_FILENO) ?? 80 }

  /// Whether it can do more than print one line below the other.
  static var canMoveCursor: Bool { ![nil, "dumb"].contains(CLibrary.environment("TERM")) }

  /// How many columns a text takes: none for combining marks, two for wide characters and emoji.
  static func columns(of text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + columns(of: $1) }
  }

  private static func columns(of character: Character) -> Int {  // Characters: what is seen as one.
    guard let first = character.unicodeScalars.first else { return 0 }
    // U+FE0F requests the emoji form of a character, which is wide.
    if first.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}") { return 2 }
    // A character can be several that each take a place: a letter after U+0600, a cluster of an Indic script.
    return character.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
  }

  private static func columns(of scalar: Unicode.Scalar) -> Int {
    // The vowels and final consonants of decomposed Hangul syllables.
    if (0x1160...0x11FF).contains(scalar.value) { return 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
    }
  }

  /// The blocks of wide and full-width characters (Unicode Standard Annex 11, EastAsianWidth.txt), without emoji.
  private static let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1B000...0x1B2FB, 0x1F200...0x1F265,
    0x20000...0x3FFFD,
  ]

  /// The beginning of a line that fits, with an ellipsis if something was left out.
  static func cut(_ line: String, to width: Int) -> String { cut([(line, nil)], to: width) }

  /// The same for a line of pieces with colours, which are the only control sequences in it.
  static func cut(_ pieces: [(text: String, color: Color?)], to width: Int) -> String {
    let pieces = pieces.map { (text: TextEscaping.forPeople($0.text), color: $0.color) }
    let shown = { (text: String, color: Color?) in text.isEmpty ? "" : color?.paint(text) ?? text }
    guard pieces.reduce(0, { $0 + columns(of: $1.text) }) > width else {
      return pieces.map(shown).joined()
    }
    var (line, room) = ("", width - 1)
    for (text, color) in pieces {
      let kept = beginning(of: text, columns: room)
      line += shown(kept, color)
      if kept.count < text.count { break }
      room -= columns(of: kept)
    }
    return line + "…"
  }

  /// A qualified name that fits. Its last part says most: `…Events.OrderPlaced` of `Shop.Events.OrderPlaced, Shop`.
  static func cutName(_ name: String, to width: Int) -> String {
    guard columns(of: name) > width else { return name }
    let scalars = name.unicodeScalars
    // Keep the branch of a tree.
    let start = scalars.firstIndex { ![" ", "└", "─"].contains($0) } ?? scalars.startIndex
    let qualified = scalars[start...].prefix { $0 != "," }
    guard let separator = qualified.lastIndex(where: { [".", ":", "/", "\\"].contains($0) }) else {
      return cut(name, to: width)
    }
    let beginning = String(scalars[..<qualified.endIndex])
    if columns(of: beginning) < width { return beginning + "…" }
    let branch = String(scalars[..<start])
    let last = String(qualified[qualified.index(after: separator)...])
    let room = width - columns(of: branch) - 1
    guard columns(of: last) <= room else { return cut(branch + "…" + last, to: width) }
    return branch + "…" + end(of: String(qualified), columns: room)
  }

  private static func end(of text: String, columns limit: Int) -> String {
    var used = 0
    return String(
      text.reversed().prefix { character in
        used += columns(of: character)
        return used <= limit
      }.reversed()
    )
  }

  private static func beginning(of text: String, columns limit: Int) -> String {
    var used = 0
    return String(
      text.prefix { character in
        used += columns(of: character)
        return used <= limit
      }
    )
  }
}
