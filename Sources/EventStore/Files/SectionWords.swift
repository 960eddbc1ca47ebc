package import LibPQ

/// How words are written after the keyword of a section, one rule for all files; annals-projection(5) describes it.
///
/// Blanks and commas separate words. A word in double quotes may hold them, and each quote in it is doubled.
extension SectionFile {
  /// Means every type of event that no other section handles: `*` without quotes.
  ///
  /// No type can have this text, since PostgreSQL stores no NUL and a file with one is refused. A type that is named
  /// `*` is written in quotes and has another text.
  package static let anyType: ByteString = "\0"

  private static let lonelyAsterisk: ByteString = "*"

  /// A type as it is written in a file: in quotes if necessary.
  package static func word(_ type: ByteString) -> String {
    if type == anyType { return lonelyAsterisk.string }
    let isPlain = type.string.unicodeScalars.allSatisfy { !$0.separatesWords && $0 != "\"" }
    return isPlain && type != lonelyAsterisk && !type.string.isEmpty
      ? type.string : quoteIdentifier(type.string)
  }

  struct Word {
    let text: ByteString
    let isQuoted: Bool
    let location: SQLLocation

    /// The word as a type of event.
    var type: ByteString { !isQuoted && text == lonelyAsterisk ? anyType : text }
  }

  /// The words after the keyword of a section.
  func words(of section: Section) throws(SQLFileError) -> [Word] {
    var words: [Word] = []
    var rest = Substring(section.argument).unicodeScalars
    var column = section.argumentLocation.column
    while let first = rest.first {
      let location = SQLLocation(line: section.argumentLocation.line, column: column)
      let before = rest.count
      if first.separatesWords {
        rest.removeFirst()
      } else {
        words.append(try takeWord(from: &rest, at: location))
      }
      column += before - rest.count
    }
    return words
  }

  /// The one name after the keyword of a section. Without quotes it may also hold blanks and commas.
  func name(of section: Section) throws(SQLFileError) -> String {
    guard section.argument.utf8.contains(UInt8(ascii: "\"")) else { return section.argument }
    let words = try words(of: section)
    guard words.count == 1 else {
      throw error(
        "@\(section.keyword) takes one name",
        at: words.count > 1 ? words[1].location : section.argumentLocation,
        hint: Self.quotingHint
      )
    }
    return words[0].text.string
  }

  private func takeWord(
    from scalars: inout Substring.UnicodeScalarView,
    at location: SQLLocation
  ) throws(SQLFileError) -> Word {
    let isQuoted = scalars.first == "\""
    var text = String.UnicodeScalarView()
    if isQuoted {
      scalars.removeFirst()
      guard takeQuoted(from: &scalars, into: &text) else {
        throw error("this quote is never closed", at: location, hint: Self.quotingHint)
      }
    }
    // Text directly before or after a quoted word belongs to no word.
    let bareScalars = scalars.prefix { !$0.separatesWords }
    guard bareScalars.isEmpty || !isQuoted && !bareScalars.contains("\"") else {
      throw error("a blank or a comma is missing beside a quote", at: location, hint: Self.quotingHint)
    }
    scalars = scalars[bareScalars.endIndex...]
    text.append(contentsOf: bareScalars)
    return Word(text: ByteString(String(text)), isQuoted: isQuoted, location: location)
  }

  /// Takes the rest of a word after its opening quote, with the closing one; false if that is missing.
  private func takeQuoted(
    from scalars: inout Substring.UnicodeScalarView,
    into text: inout String.UnicodeScalarView
  ) -> Bool {
    while let scalar = scalars.popFirst() {
      if scalar == "\"" {
        guard scalars.first == "\"" else { return true }
        scalars.removeFirst()
      }
      text.append(scalar)
    }
    return false
  }

  private static let quotingHint =
    "Write a name that holds blanks, commas or quotes as \"Shop.Placed, Shop\", and each quote in it twice."
}

extension Unicode.Scalar {
  fileprivate var separatesWords: Bool { self == "," || properties.isWhitespace }
}
