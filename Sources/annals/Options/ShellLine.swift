/// The words of a command line that somebody is typing, as bash, zsh and fish read them: quotes and backslashes are
/// taken away, expansions are not made.
struct ShellLine {
  /// The last one, maybe empty, is the word at the cursor.
  private(set) var words: [String] = [""]
  /// The word at the cursor as it stands in the line.
  private(set) var lastWord = ""
  /// The quote that is open at the cursor.
  private(set) var quote: Character?

  init(_ line: String) {
    var isEscaped = false
    for character in line {
      if isEscaped {
        // Inside double quotes a backslash escapes only what would end or expand them.
        if quote == "\"", !"\"\\$`".contains(character) { append("\\") }
        append(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if character == quote {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
      } else if quote == nil, character == " " || character == "\t" {
        if !lastWord.isEmpty { words.append("") }
        lastWord = ""
        continue
      } else {
        append(character)
      }
      lastWord.append(character)
    }
  }

  private mutating func append(_ character: Character) {
    words[words.count - 1].append(character)
  }

  /// Quotes what continues the word at the cursor, as bash reads it.
  func quoted(_ text: String) -> String {
    switch quote {
    case "'": text.replacing("'", with: #"'\''"#)
    case nil: Self.escaping(text) { !$0.isASCII || $0.isLetter || $0.isNumber || "_-+./,:=@%^".contains($0) }
    default: Self.escaping(text) { !"\"\\$`".contains($0) }
    }
  }

  private static func escaping(_ text: String, unless isPlain: (Character) -> Bool) -> String {
    text.map { isPlain($0) ? String($0) : "\\\($0)" }.joined()
  }

  /// How many characters of the word at the cursor stay, where the shell replaces only its end, as bash does behind a
  /// colon.
  func untouched(byReplacing end: String) -> Int {
    guard lastWord.hasSuffix(end) else { return 0 }
    return ShellLine(String(lastWord.dropLast(end.count))).words[0].count
  }
}
