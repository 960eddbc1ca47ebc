/// The words of a command line that is being typed, as bash, zsh and fish read them: quotes and backslashes are
/// removed, expansions are not made. Shells go by scalars, and so does this.
struct ShellLine {
  /// The last one, maybe empty, is the word at the cursor.
  private(set) var words: [String] = [""]
  /// The word at the cursor as it is in the line.
  private(set) var lastWord = ""
  /// The quote that is open at the cursor.
  private(set) var quote: Unicode.Scalar?

  private static let specialInQuotes: Set<Unicode.Scalar> = ["\"", "\\", "$", "`"]

  init(_ line: String) {
    var isEscaped = false
    for scalar in line.unicodeScalars {
      if isEscaped {
        // Inside double quotes a backslash escapes only characters that would end or expand them.
        if quote == "\"", !Self.specialInQuotes.contains(scalar) { append("\\") }
        append(scalar)
        isEscaped = false
      } else if scalar == "\\", quote != "'" {
        isEscaped = true
      } else if scalar == quote {
        quote = nil
      } else if quote == nil, scalar == "'" || scalar == "\"" {
        quote = scalar
      } else if quote == nil, scalar == " " || scalar == "\t" {
        if !lastWord.isEmpty { words.append("") }
        lastWord = ""
        continue
      } else {
        append(scalar)
      }
      lastWord.unicodeScalars.append(scalar)
    }
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    words[words.count - 1].unicodeScalars.append(scalar)
  }

  /// Quotes the continuation of the word at the cursor for bash. readline closes an open quote after it, unless the
  /// last character is a quote already.
  func quoted(_ text: some Sequence<Unicode.Scalar>) -> String {
    let quoted = escaped(text)
    guard let quote, quoted.unicodeScalars.last == quote else { return quoted }
    return "\(quoted)\(quote)"
  }

  private func escaped(_ text: some Sequence<Unicode.Scalar>) -> String {
    text.map { scalar in
      switch (quote, scalar) {
      case ("'", "'"): #"'\''"#
      case ("'", _): "\(scalar)"
      // Inside double quotes nothing prevents the search of the history.
      case ("\"", "!"): #""\!""#
      case ("\"", _): Self.specialInQuotes.contains(scalar) ? "\\\(scalar)" : "\(scalar)"
      default: Self.isPlain(scalar) ? "\(scalar)" : "\\\(scalar)"
      }
    }.joined()
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "+", ".", "/", ",", ":", "=", "@", "%", "^": true
    default: !scalar.isASCII
    }
  }

  /// How many scalars of the word at the cursor stay, if the shell replaces only its end, as bash does after a
  /// colon.
  func untouched(byReplacing end: String) -> Int {
    let (word, end) = (lastWord.unicodeScalars, end.unicodeScalars)
    guard word.reversed().starts(with: end.reversed()) else { return 0 }
    return ShellLine(String(word.dropLast(end.count))).words[0].unicodeScalars.count
  }
}
