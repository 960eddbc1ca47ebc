import EventStore
import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// The shells themselves decide what a text means.
@Suite struct ShellQuotingTests {
  /// Texts with a meaning in one of the shells, each beside all scalars that could hide it: about 120 thousand.
  private static let texts = hostileTexts(around: [
    "'", "\"", "\\", "`", "$", "!", "\n", " ", ";", "*", "~", "=",
  ])

  @Test(arguments: ["sh", "bash", "zsh", "fish"]) func noScalarHidesAQuote(shell: String) async throws {
    #expect(Self.texts.count == joiningScalars.count * 48)
    #expect(joiningScalars.count > 2400)
    let texts = Self.texts + ["", "-x", "=ls", "~root", "%1", "a b", "plain-1"]
    #expect(try await words(texts.map(quoteShell), in: shell) == texts.map { Array($0.utf8) })
  }

  /// As bash reads what a completion puts behind an open quote, or none.
  @Test(arguments: ["", "'", "\""]) func noScalarHidesAQuoteFromACompletion(quote: String) async throws {
    let typed = ShellLine("annals stream \(quote)")
    // Names with control characters are not offered.
    let texts = Self.texts.filter { text in
      !text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }
    let completed = texts.map { quote + Self.closed(typed.quoted($0.unicodeScalars), by: quote) }
    #expect(try await words(completed, in: "bash") == texts.map { Array($0.utf8) })
    #expect(
      completed.indices.allSatisfy { ShellLine(completed[$0]).words[0].utf8.elementsEqual(texts[$0].utf8) }
    )
  }

  @Test func anIDIsNoOption() {
    #expect(quoteShellOperand("-d postgres://x") == "-- '-d postgres://x'")
    #expect(quoteShellOperand("order-1") == "order-1")
  }

  /// As readline closes a quote: not where one stands already.
  static func closed(_ text: String, by quote: String) -> String {
    !quote.isEmpty && text.utf8.last == quote.utf8.last ? text : text + quote
  }

  /// The words of a script as the shell reads them.
  private func words(_ words: [String], in shell: String) async throws -> [[UInt8]] {
    let script = "/tmp/annals-test-\(UInt64.random(in: .min ... .max)).sh"
    let lines = stride(from: 0, to: words.count, by: 1000).map { start in
      "printf '%s\\0' \(words[start..<min(start + 1000, words.count)].joined(separator: " "))\n"
    }
    try lines.joined().write(toFile: script, atomically: true, encoding: .utf8)
    let options = ["bash": "--norc", "zsh": "-f", "fish": "--no-config"][shell] ?? ""
    let run = try await runShell("\(shell) \(options) \(script)")
    try FileManager.default.removeItem(atPath: script)
    #expect(run.standardError == "" && run.exitCode == 0)
    return run.outputBytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map(Array.init)
  }
}
