import Foundation
import TestSupport
import Testing

/// A service that uses the library has no command line: messages name operations as values, see `Hint`.
struct LibraryWordsTests {
  @Test(arguments: ["EventStore", "LibPQ", "PostgresSandbox"])
  func theLibraryNamesNoCommandNoOptionAndNoPage(library: String) throws {
    let pages = try FileManager.default.contentsOfDirectory(atPath: SourceTree.path("man"))
    // "annals-verify-versions.1" is of the command "annals verify-versions".
    let commands = pages.compactMap { $0.wholeMatch(of: /annals-(.+)\.1/).map { String($0.1) } }
    #expect(commands.count > 25)
    // "annals." is the schema; "-- @name" begins a section of a file, and initdb and pg_ctl have options too.
    let command = try NSRegularExpression(pattern: "\\bannals (\(commands.joined(separator: "|")))\\b")
    let others = try NSRegularExpression(
      pattern: #"(?<!"|pg_config )--[a-z][a-z-]+|\bannals-[a-z-]+\([0-9]\)"#
    )
    let sources = URL(filePath: SourceTree.path("Sources/\(library)"))
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var count = 0
    for case let file as URL in files where file.pathExtension == "swift" {
      count += 1
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let code = String(line.drop { $0 == " " })
        if code.starts(with: "//") { continue }
        let all = NSRange(code.startIndex..., in: code)
        let isNamed = [command, others].contains { $0.firstMatch(in: code, range: all) != nil }
        #expect(!isNamed, "\(file.lastPathComponent): \(code)")
      }
    }
    #expect(count > 5)
  }
}

/// Operators read it at night: the usual word, as in the manuals of PostgreSQL and restic.
struct PlainWordsTests {
  private static let rare = [
    "anew", "aught", "befalls?", "befell", "for ever", "forthwith", "gone on with", "hence(forth)?",
    "hitherto",
    "in vain", "lest", "mend(s|ed|ing)?", "nobody but", "of late", "save for", "shall", "so many",
    "suffic(e|es|ed)", "there(by|of|upon)", "upon", "where(by|in|of)", "whilst", "whom(ever)?",
    "who(so)?ever",
    "would-be",
    // To delay, and not an upper limit.
    "(hold|holds|held|holding) ([a-z]+ ){0,3}up(?! to)",
    // To be, and not to represent.
    "(stand|stands|stood) (in|on|at|before|after|below|above|behind|beside|between|there|where|right)",
  ]

  @Test func nothingThatIsReadHasARareWord() throws {
    let pattern = try NSRegularExpression(
      pattern: "\\b(" + Self.rare.joined(separator: "|") + ")\\b",
      options: .caseInsensitive
    )
    // A phrase may go over the end of a line, and a comment goes on in the next one.
    let lineBreak = try NSRegularExpression(pattern: #"\s+(//+ )?"#)
    let folders = ["man", "completions", "Sources", "Tests/AnnalsTests/Snapshots"]
    let pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map { URL(filePath: SourceTree.path($0)) }
    let files = try folders.flatMap(Self.files) + pages
    #expect(files.count > 500)
    for file in files {
      let read = try String(contentsOf: file, encoding: .utf8)
      let all = NSRange(read.startIndex..., in: read)
      let text = lineBreak.stringByReplacingMatches(in: read, range: all, withTemplate: " ")
      for match in pattern.matches(in: text, range: NSRange(text.startIndex..., in: text)) {
        guard let range = Range(match.range, in: text) else { continue }
        let place = text[..<range.lowerBound].suffix(40) + text[range.lowerBound...].prefix(40)
        Issue.record("\(file.lastPathComponent): \(place)")
      }
    }
  }

  /// A migration that was released is not edited, so SQL is left out.
  private static func files(in folder: String) throws -> [URL] {
    let url = URL(filePath: SourceTree.path(folder))
    let found = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil)
    return try #require(found).compactMap { $0 as? URL }
      .filter { !$0.hasDirectoryPath && !["sql", "modulemap"].contains($0.pathExtension) }
  }
}
