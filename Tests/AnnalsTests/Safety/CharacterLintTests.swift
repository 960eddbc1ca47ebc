import FoundationEssentials
import TestSupport
import Testing

/// `make lint` finds text that is taken by Character.
@Suite struct CharacterLintTests {
  @Test(arguments: [
    #"let isAbsolute = path.hasPrefix("/")"#, #"let lines = text.split(separator: "\n")"#,
    #"let quoted = text.replacing("'", with: "''")"#, #"while body.contains("$") {}"#,
    "var quote: Character?",
    #"if word.first == "-" {}"#, #"let end = text.firstIndex(of: "\"")"#,
    "let words = text.split(whereSeparator: \\.isWhitespace)", "let words = text.split { $0.isWhitespace }",
  ])
  func takingCharactersIsFound(line: String) async throws {
    let run = try await lint(line)
    #expect(run.exitCode == 1 && run.standardOutput.utf8.contains(line.utf8))
  }

  @Test(arguments: [
    #"let isAbsolute = path.utf8.starts(with: "/".utf8)"#,
    #"let lines = text.unicodeScalars.split(separator: "\n")"#, #"if ["a", "b"].contains("a") {}"#,
    "var seen: Character?  // Characters: what is seen as one.", "/// A Character",
    "let names = Set<String>()",
  ])
  func otherLinesPass(line: String) async throws {
    let run = try await lint(line)
    #expect(run.exitCode == 0 && run.standardOutput == "")
  }

  private func lint(_ line: String) async throws -> ProgramRun {
    let folder = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try (line + "\n").write(toFile: folder + "/x.swift", atomically: true, encoding: .utf8)
    let run = try await runShell("sh '\(SourceTree.path(".ci/characters.sh"))' \(folder)")
    try FileManager.default.removeItem(atPath: folder)
    return run
  }
}
