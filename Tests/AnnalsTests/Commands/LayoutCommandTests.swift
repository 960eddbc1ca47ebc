import FoundationEssentials
import TestSupport
import Testing

@Suite struct LayoutCommandTests {
  private static let file = """
    -- @layout audit
    -- @table app.audit
    SELECT md5(a.number::text)::uuid AS id, a.entity AS aggregate_id, a.action AS event_type, a.payload AS event_data,
           a.revision AS version, to_timestamp(a.at_ms / 1000.0) AS "timestamp", a.number AS position
    FROM app.audit AS a
    """

  private func withAudit(_ body: (_ db: TestDatabase, _ path: String) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE SCHEMA app;
        CREATE TABLE app.audit (number bigserial PRIMARY KEY, entity text, action text, payload jsonb, revision integer,
          at_ms bigint);
        INSERT INTO app.audit (entity, action, payload, revision, at_ms) VALUES ('a', 'Made', '{}', 1, 1767225600250);
        """
      )
      let path = "/tmp/annals-test-\(UInt64.random(in: .min ... .max)).sql"
      try Self.file.write(toFile: path, atomically: true, encoding: .utf8)
      try await body(db, path)
      try FileManager.default.removeItem(atPath: path)
    }
  }

  /// Columns of a layout may look like our own places in SQL.
  @Test(arguments: ["metadata", "timestamp", "streams", "events"])
  func aPathLiteralIsNotAPlaceOfOurs(member: String) async throws {
    try await withAudit { db, path in
      let file = Self.file.replacing(
        "a.payload AS event_data",
        with: "a.payload AS event_data, a.payload #> '{\(member)}' AS metadata"
      )
      try file.write(toFile: path, atomically: true, encoding: .utf8)
      let manifest = path + ".manifest"
      for options in [["--manifest", manifest], ["--against", manifest]] {
        let run = try await db.annals(["verify-versions", "--layout", path] + options)
        #expect(run.exitCode == 0, "\(run.standardError)")
      }
      try FileManager.default.removeItem(atPath: manifest)
    }
  }

  @Test func aFileOrTheVariable() async throws {
    try await withAudit { db, path in
      let option = try await db.annals("stream", "a", "--layout", path, "-o", "ndjson")
      #expect(
        option.standardOutput.contains(#""timestamp":"2026-01-01T00:00:00.250Z""#),
        "\(option.standardError)"
      )
      let environment = db.environment.merging(["ANNALS_LAYOUT": path]) { $1 }
      let variable = try await AnnalsBinary.run(["stream", "a", "-o", "ndjson"], environment: environment)
      #expect(variable.standardOutput == option.standardOutput)
      let append = try await AnnalsBinary.run(["append", "a", "Made"], environment: environment)
      #expect(append.exitCode == 78)
      let doctor = try await AnnalsBinary.run(["doctor", "-o", "csv"], environment: environment)
      #expect(doctor.standardOutput.contains("settings,layout,audit,ANNALS_LAYOUT,ok"))
      // A table that is named beats the variable.
      let table = try await AnnalsBinary.run(["stream", "--table", "nonesuch"], environment: environment)
      #expect(table.exitCode == 4)
    }
  }

  @Test(arguments: [
    (["--layout", "martin"], 64, "Did you mean 'marten'?"),
    (["--layout", "marten", "--table", "x"], 64, "--table and --layout exclude each other"),
    (["--layout", "./nonesuch.sql"], 65, "cannot read ./nonesuch.sql"),
    (["--layout", "marten"], 78, "layout marten does not fit this database"),
  ])
  func mistakes(options: [String], status: Int32, message: String) async throws {
    try await TestCluster.withDatabase { db in
      let run = try await db.annals(["stream"] + options)
      #expect(run.exitCode == status)
      #expect(run.standardError.contains(message), "\(run.standardError)")
    }
  }
}
