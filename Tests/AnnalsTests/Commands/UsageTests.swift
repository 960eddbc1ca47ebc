import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// The front door: help, version, and what is said about a line that annals cannot read.
@Suite struct UsageTests {
  @Test(arguments: [[], ["help"], ["--help"], ["-?"]])
  func helpIsOneScreenWithExamplesFirst(arguments: [String]) async throws {
    let run = try await AnnalsBinary.run(arguments, environment: ["COLUMNS": "80"])
    #expect(run.exitCode == 0)
    #expect(run.standardError == "")
    let lines = run.standardOutput.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 50)
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines[2].hasPrefix("  annals init"))
  }

  @Test func version() async throws {
    let run = try await AnnalsBinary.run(["--version"])
    #expect(run.standardOutput == "annals \(Annals.version)\n")
  }

  /// The fields are the same in each format.
  @Test func versionsAsARecord() async throws {
    let table = try await AnnalsBinary.run(["version"]).standardOutput
    #expect(table.hasPrefix("version            \(Annals.version)\nbuild "))
    let csv = try await AnnalsBinary.run(["version", "-o", "csv"]).standardOutput
    #expect(csv.hasPrefix("version,build,swift,libpq,") && csv.contains("\r\n\(Annals.version),"))
    struct Versions: Decodable { let version, swift, libpq: String, oldestPostgresql, schemaVersion: Int }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    for format in ["json", "ndjson"] {
      let json = try await AnnalsBinary.run(["version", "-o", format]).standardOutput
      let object = format == "json" ? String(json.dropFirst().dropLast(2)) : json
      let versions = try decoder.decode(Versions.self, from: Data(object.utf8))
      #expect(
        versions.version == Annals.version && versions.oldestPostgresql == 13 && versions.schemaVersion > 11
      )
      #expect(versions.swift.hasPrefix("6.") && versions.libpq.contains("."))
    }
  }

  @Test(arguments: [
    (["strem"], "there is no subcommand 'strem'", "Did you mean 'stream'? 'annals help' lists them."),
    (
      ["help", "strem"], "there is no subcommand 'strem'", "Did you mean 'stream'? 'annals help' lists them."
    ),
    (["Init", "-n"], "there is no subcommand 'Init'", "Did you mean 'init'? 'annals help' lists them."),
    (
      ["verify"], "there is no subcommand 'verify'",
      "Did you mean 'verify-versions'? 'annals help' lists them."
    ),
    (["xyzzy"], "there is no subcommand 'xyzzy'", "'annals help' lists them."),
    (["\u{1B}[2J"], "there is no subcommand '\\u{1b}[2J'", "'annals help' lists them."),
    (
      ["sandbox", "sart"], "there is no subcommand 'sart' of sandbox",
      "Did you mean 'start'? 'annals help sandbox' lists them."
    ),
    (
      ["stream", "--revers"], "unknown option '--revers'",
      "Did you mean '--reverse'? Try 'annals help stream'."
    ),
    (["stream", "--zzz"], "unknown option '--zzz'", "Try 'annals help stream'."),
    (
      ["projections", "rolback", "orders"], "unexpected argument 'orders'",
      "Did you mean 'annals projections rollback'?"
    ),
    (
      ["types", "sho", "OrderPaid"], "2 unexpected arguments: 'sho', 'OrderPaid'",
      "Did you mean 'annals types show'?"
    ),
    (
      ["stream", "-o", "jsn"],
      "the value 'jsn' is invalid for '-o <output>'. Please provide one of 'table', 'ndjson', 'json' or 'csv'",
      "Try 'annals help stream'."
    ),
    (
      ["help", "-k"], "missing value for '-k'",
      "Give the word to search for, as in 'annals help -k backup'."
    ),
    (["stream", "a", "b"], "unexpected argument 'b'", "Try 'annals help stream'."),
    (["sandbox", "start", "x"], "unexpected argument 'x'", "Try 'annals help sandbox start'."),
    (
      ["stream", "-h"], "missing value for '-h'",
      "-h is the server's host, as in psql. For help: annals --help"
    ),
  ])
  func mistakes(arguments: [String], message: String, hint: String) async throws {
    let run = try await AnnalsBinary.run(arguments)
    #expect(run.exitCode == 64)
    #expect(run.standardOutput == "")
    #expect(run.standardError == "annals: error: \(message)\nHINT:  \(hint)\n")
  }

  @Test func aSuggestionIsAMemberOfItsOwn() async throws {
    let run = try await AnnalsBinary.run(["stream", "--limt", "3", "-o", "json"])
    #expect(run.exitCode == 64 && run.standardOutput == "")
    #expect(
      run.standardError == #"{"error":"unknown option '--limt'","code":"usage","exit":64,"#
        + #""hint":"Did you mean '--limit'? Try 'annals help stream'."}"# + "\n"
    )
  }

  private static let durations = [
    ["rebuild-projection", "-", "--time-limit"], ["rebuild-projection", "-", "--progress"],
    ["project", "-", "--poll"], ["project", "-", "--retry-delay"], ["replay", "--time-limit"],
    ["replay", "--exec", "cat", "--timeout"],
    ["dead-letters", "retry", "mail", "--exec", "cat", "--timeout"],
    ["append", "a-1", "T", "--retry-timeout"], ["check", "--max-age"], ["check", "--max-lag"],
  ]

  @Test(arguments: durations)
  func whatIsNoDurationIsRefused(arguments: [String]) async throws {
    for text in ["1e30", "nan", "inf", "", "-1s", "1 s", "1e9s", "2000000000s", "1.2.3s", ".s", "5m", "٣s"] {
      let run = try await AnnalsBinary.run(
        arguments.dropLast() + ["\(arguments[arguments.count - 1])=\(text)"]
      )
      #expect(run.exitCode == 64, "\(text): \(run.standardError)")
      #expect(run.standardError.contains("HINT:  \(DurationArgument.hint)"), "\(text): \(run.standardError)")
    }
  }

  @Test func durationsAreSecondsUnlessTheySayOtherwise() {
    let texts = ["30", "30.5", "500ms", "10min", "2h", "2d", "1s", "0", "1000000000"]
    #expect(
      texts.map { DurationArgument(argument: $0)?.duration } == [
        .seconds(30), .milliseconds(30_500), .milliseconds(500), .seconds(600), .seconds(7200),
        .seconds(172_800),
        .seconds(1), .zero, .seconds(1_000_000_000),
      ]
    )
  }

  @Test(arguments: durations)
  func oneGrammarOfDurations(arguments: [String]) async throws {
    let file = "-- @projection p\n-- @create\nCREATE TABLE p (n int);\n-- @on A\nSELECT 1;\n"
    // What nobody reads would end the tests with SIGPIPE.
    let stdin = arguments.contains("-") ? file : ""
    for text in ["30.5s", "500ms", "10min", "2h", "2d", "10000d"] {
      let run = try await AnnalsBinary.run(arguments + [text, "-h", "/nonexistent"], stdin: stdin)
      #expect(run.exitCode == 69, "\(text): \(run.standardError)")
    }
  }

  @Test(arguments: [["-o", "json"], ["--output=ndjson"], ["-ojson"]])
  func mistakesAsJSON(format: [String]) async throws {
    let run = try await AnnalsBinary.run(["stream"] + format + ["--nonesuch"])
    #expect(run.exitCode == 64)
    #expect(run.standardError.hasPrefix(#"{"error":"unknown option '--nonesuch'"#))
    #expect(
      run.standardError.hasSuffix(#""code":"usage","exit":64,"hint":"Try 'annals help stream'."}"# + "\n")
    )
    #expect(run.standardError.split(separator: "\n").count == 1)
  }

  @Test func pathOfSubcommandsStopsAtArguments() {
    #expect(NamedSubcommand.path(in: ["sandbox", "exec", "start"]) == ["sandbox", "exec"])
    #expect(NamedSubcommand.path(in: ["help", "sandbox", "--version"]) == ["sandbox"])
    #expect(NamedSubcommand.path(in: ["stream", "stream"]) == ["stream"])
    #expect(NamedSubcommand.path(in: []) == [])
  }
}
