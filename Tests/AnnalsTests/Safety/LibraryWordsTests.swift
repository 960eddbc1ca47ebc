import Foundation
import TestSupport
import Testing

/// A service that uses the library has no command line: messages name operations as values, see `Hint`.
struct LibraryWordsTests {
  @Test func theLibraryNamesNoCommandAndNoOption() throws {
    let sources = URL(filePath: SourceTree.path("Sources/EventStore"))
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var count = 0
    for case let file as URL in files where file.pathExtension == "swift" {
      count += 1
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let code = line.drop { $0 == " " }
        if code.starts(with: "//") { continue }
        // "annals." is the schema; "-- @name" begins a section of a file.
        let command =
          /'?annals (init|stream|append|replay|trace|types|project|rebuild|snapshot|verify|evolve|dead|doctor|check|watermark)/
        let option = /--[a-z][a-z-]+/
        let isNamed = code.firstMatch(of: command) != nil || code.firstMatch(of: option) != nil
        #expect(!isNamed, "\(file.lastPathComponent): \(code)")
      }
    }
    #expect(count > 100)
  }
}
