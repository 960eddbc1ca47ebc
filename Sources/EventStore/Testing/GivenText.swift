internal import LibPQ

/// The text of one given event of a test, and its place.
struct GivenText {
  let bytes: [UInt8]
  let line: Int

  /// The lines of an NDJSON file.
  static func lines(_ bytes: [UInt8]) -> [GivenText] {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
      .map { GivenText(bytes: Array($1), line: $0 + 1) }
      .filter { !$0.bytes.allSatisfy(JSONScanner.isWhitespace) }
  }

  /// The events in the comments of a section. Each begins with `-- {` and continues in the comment lines below that are
  /// indented further, so that it need not be one long line.
  ///
  /// The two hyphens become blanks and line feeds stay, which JSON ignores, so that places are those of the file. A
  /// paragraph of comments that does not begin with an event is prose, unless it is directly below the keyword.
  ///
  /// - Parameter range: the lines after the keyword's line, counted from 0.
  static func comments(_ lines: [ArraySlice<UInt8>], _ range: Range<Int>) -> [GivenText] {
    var texts: [GivenText] = []
    var isInEvents = true
    var isBehindBlank = false
    for index in range {
      let line = lines[index].drop(while: JSONScanner.isWhitespace)
      guard line.starts(with: "--".utf8) else {
        (isInEvents, isBehindBlank) = (false, true)
        continue
      }
      let content = line.dropFirst(2)
      let indent = content.prefix(while: JSONScanner.isWhitespace).count
      let isBeginning = content.dropFirst(indent).first == UInt8(ascii: "{") && indent <= 1
      if isBehindBlank { isInEvents = isBeginning }
      isBehindBlank = false
      guard isInEvents else { continue }
      var blanked = Array(lines[index])
      blanked.replaceSubrange(
        line.startIndex - lines[index].startIndex..<line.startIndex - lines[index].startIndex + 2,
        with: "  ".utf8
      )
      if isBeginning || texts.isEmpty || indent <= 1 {
        texts.append(GivenText(bytes: blanked, line: index + 1))
      } else {
        let text = texts.removeLast()
        texts.append(GivenText(bytes: text.bytes + [UInt8(ascii: "\n")] + blanked, line: text.line))
      }
    }
    return texts
  }

  /// The place in the file of a byte of the text, counted from 0.
  func location(of offset: Int) -> SQLLocation {
    let before = bytes.prefix(offset)
    let lineFeeds = before.count { $0 == UInt8(ascii: "\n") }
    let last = before.reversed().prefix { $0 != UInt8(ascii: "\n") }
    return SQLLocation(line: line + lineFeeds, column: last.count { $0 & 0xC0 != 0x80 } + 1)
  }
}
