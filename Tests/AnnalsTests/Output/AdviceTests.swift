import TestSupport
import Testing

/// A command in a hint does what the hint says, in the store of the failed command and nowhere else.
@Suite struct AdviceTests {
  @Test func aHintNamesTheSameTable() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE SCHEMA "Sales'";
        CREATE TABLE "Sales'"."order events" (id uuid PRIMARY KEY, aggregate_id text, event_type text, event_data jsonb,
          version int, "timestamp" timestamptz, UNIQUE (aggregate_id, version));
        """
      )
      let table = #""Sales'"."order events""#
      // The database comes from the option alone.
      let elsewhere = db.environment.merging(["PGDATABASE": "template1"]) { $1 }
      let options = ["-d", db.name, "-h", db.environment["PGHOST"]!, "--table", table]
      let run = try await AnnalsBinary.run(["watermark"] + options, environment: elsewhere)
      #expect(run.exitCode == 78)
      let hint = try #require(run.standardError.split(separator: "\n").last.map(String.init))
      let begin = try #require(hint.firstRange(of: "annals init "))
      let end = try #require(hint.firstRange(of: " ("))
      let command = hint[begin.lowerBound..<end.lowerBound]
      #expect(command.hasSuffix("--add-position"))
      let again = try await runShell(
        "annals() { '\(AnnalsBinary.path)' \"$@\"; }; \(command)",
        environment: elsewhere
      )
      #expect(again.exitCode == 0, "\(command)\n\(again.standardError)")
      #expect(try await AnnalsBinary.run(["watermark"] + options, environment: elsewhere).exitCode == 0)
      #expect(try await db.psql("SELECT to_regclass('public.events') IS NULL") == "t")
    }
  }

  @Test(arguments: [
    ([], "'annals init'"),
    (["--table", "sales.events"], "'annals init --table sales.events'"),
    (["--table", "a b"], #"annals init --table 'public."a b"'"#),
    (["-p", "05432"], "'annals init -p 05432'"),
  ])
  func aCommandIsQuotedApart(options: [String], command: String) async throws {
    try await TestCluster.withDatabase { db in
      let run = try await AnnalsBinary.run(["stream"] + options, environment: db.environment)
      #expect(run.exitCode == 4)
      #expect(run.standardError.contains("HINT:  Create it with \(command), or name"), "\(run.standardError)")
    }
  }

  @Test func aPasswordIsNotRepeated() async throws {
    try await TestCluster.withDatabase { db in
      let host = db.environment["PGHOST"]!
      let user = db.environment["PGUSER"]!
      let place = "host=\(host)&port=\(db.environment["PGPORT"]!)"
      for string in [
        "\(db.conninfo) password='a secret'", "postgresql://\(user):secret@/\(db.name)?\(place)",
      ] {
        let run = try await AnnalsBinary.run(["stream", "-d", string])
        #expect(run.exitCode == 4, "\(run.standardError)")
        #expect(!run.standardError.contains("secret"))
        let command = "annals init -d 'dbname=\(db.name) host=\(host) "
        #expect(run.standardError.contains(command), "\(run.standardError)")
      }
    }
  }

  @Test func aHintNamesTheSameSandbox() async throws {
    let run = try await AnnalsBinary.run(["sandbox", "env", "--directory", "/tmp/no such"])
    #expect(run.standardError.hasSuffix("HINT:  Start it: annals sandbox start --directory '/tmp/no such'\n"))
  }
}
