import FoundationEssentials
import LibPQ
import TestSupport
import Testing

@testable import EventStore

@Suite struct SQLTemplateTests {
  /// A template whose declared names are not those of its file ends the program, here.
  @Test func everyFileIsATemplate() throws {
    let sources = URL(filePath: SourceTree.path("Sources/EventStore"))
    let folders = try FileManager.default.contentsOfDirectory(atPath: sources.path())
    let files = folders.flatMap { folder -> [String] in
      let enumerated = try? FileManager.default.subpathsOfDirectory(atPath: sources.path() + "/\(folder)/SQL")
      return (enumerated ?? []).filter { $0.utf8.suffix(4).elementsEqual(".sql".utf8) }
    }
    #expect(files.count > 50)
    let shipped = Layout.shippedNames.count
    #expect(SQLTemplate.all.count + migrations.count + shipped == files.count, "\(files)")
    #expect(migrations.allSatisfy { $0.sql.names.isEmpty })
  }

  @Test func whatIsFilledInIsNotLookedAt() {
    let template = SQLTemplate(
      Array("-- {a} is {b}\nSELECT {a}, '{}', '{B}', {a}, {b} -- {c}".utf8),
      "a",
      "b"
    )
    #expect(template.names == ["a", "b"])
    for _ in 1...20 {
      #expect(
        template.filled(["a": "'{b}'", "b": "'{a}{b}'"])
          == "-- {a} is {b}\nSELECT '{b}', '{}', '{B}', '{b}', '{a}{b}' -- {c}"
      )
    }
  }

  @Test func valuesOfAnAreaAreTakenWhereTheyFit() {
    let template = SQLTemplate(Array("{a}{b}".utf8), "a", "b")
    #expect(template.filled(["a": "1"], from: ["a": "2", "b": "3", "c": "4"]) == "13")
  }

  @Test func valuesInPlacesAreParameters() {
    let template = SQLTemplate(Array("SELECT {a}, {b} WHERE {a}".utf8), "a", "b")
    let statement = template.statement(["a": "x = \("it's $1 {b}")"], from: ["b": "\(Int64(7))", "c": "1"])
    #expect(statement.text == "SELECT x = $1, $2 WHERE x = $3")
    #expect(statement.parameters == [.text("it's $1 {b}"), .int8(7), .text("it's $1 {b}")])
  }

  @Test func aMarkHidesNoPlace() {
    #expect(SQLTemplate(Array("\u{600}{a}\u{301}".utf8), "a").filled(["a": "1"]) == "\u{600}1\u{301}")
  }

  @Test func wrongNamesEndTheProgram() async {
    await #expect(processExitsWith: .failure) { _ = SQLTemplate(Array("{a}{b}".utf8), "a") }
    await #expect(processExitsWith: .failure) { _ = SQLTemplate(Array("{a}".utf8), "a", "b") }
    await #expect(processExitsWith: .failure) { _ = SQLTemplate(Array("{a}".utf8), "a").filled([:]) }
    await #expect(processExitsWith: .failure) {
      _ = SQLTemplate(Array("{a}".utf8), "a").filled(["a": "", "b": ""])
    }
  }
}
