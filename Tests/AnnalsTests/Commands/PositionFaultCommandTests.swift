import TestSupport
import Testing

/// The output for scripts and people when positions cannot be proved final, or a reader is ahead of the store.
@Suite struct PositionFaultCommandTests {
  @Test func aViewIsRefusedWithTheReason() async throws {
    try await withEvents { db, annals in
      try await db.psql("\(Self.insert(3)); CREATE VIEW v AS SELECT * FROM events")
      for command in [
        ["watermark"], ["replay", "--follow"], ["replay", "--checkpoint", "mail"], ["stream", "--follow"],
        ["verify-versions", "--incremental"],
      ] {
        let run = try await annals(command + ["--table", "v"])
        #expect(run.exitCode == 78, "\(command)")
        #expect(
          run.standardError == """
            annals: error: positions of public.v cannot be proved final: public.v is a view
            DETAIL:  The locks of its writers are on other tables.
            HINT:  Name the table that the events are inserted into; a read without following and without a checkpoint \
            works here.

            """
        )
      }
      #expect(try await annals(["replay", "--table", "v"]).standardOutput.split(separator: "\n").count == 3)
      let check = try await annals(["check", "--table", "v"])
      #expect(
        check.exitCode == 2 && check.standardOutput.hasPrefix("ANNALS CRITICAL - public.v is a view | ")
      )
    }
  }

  @Test func aRestoredStoreIsStatus2() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.insert(9))
      #expect(try await annals(["replay", "--checkpoint", "mail"]).exitCode == 0)
      try await db.psql("DELETE FROM events WHERE position > 4; SELECT setval('events_position_seq', 4)")
      let run = try await annals(["replay", "--checkpoint", "mail", "-o", "ndjson"])
      #expect(run.exitCode == 2 && run.standardOutput.isEmpty)
      #expect(run.standardError.contains("checkpoint 'mail' is at position 9, and public.events ends at 4"))
      #expect(run.standardError.contains(#""code":"checkpoint_ahead""#))
      let doctor = try await annals(["doctor", "-o", "csv"])
      #expect(doctor.exitCode == 2)
      #expect(doctor.standardOutput.contains("consumer mail is at position 9, and the store ends at 4"))
      let check = try await annals(["check"])
      #expect(check.exitCode == 2)
      #expect(
        check.standardOutput.contains("mail is at position 9, and the store ends at 4"),
        "\(check.standardOutput)"
      )
    }
  }

  /// A prepared transaction has a name and an owner instead of a process; what is hidden is not 0.
  @Test func whoHoldsReadersUp() async throws {
    try await withEvents { db, annals in
      let role = "watcher_\(db.name)"
      try await db.psql(
        """
        CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role);
        BEGIN; \(Self.insert(1)); PREPARE TRANSACTION 'two phases \(db.name)';
        """
      )
      func watermark(_ filter: String, as user: String) async throws -> String {
        let run = try await annals(["watermark", "-o", "ndjson", "-U", user])
        #expect(run.exitCode == 0, "\(run.standardError)")
        return try await db.psql(
          "SELECT \(filter) FROM (SELECT $j$\(run.standardOutput)$j$::jsonb AS j) AS t"
        )
      }
      let owner = try #require(db.environment["PGUSER"])
      let fields = "j->>'gid', j->>'user', j->>'process', (j->>'age_seconds')::int >= 0, j->>'query'"
      for user in [owner, role] {
        let shown = try await watermark(fields, as: user)
        #expect(shown == "two phases \(db.name)|\(owner)||t|")
      }
      try await db.psql("COMMIT PREPARED 'two phases \(db.name)'")

      try await db.psql("CREATE TABLE released ()")
      async let writer = db.psql(
        """
        BEGIN; \(Self.insert(2...2));
        DO 'BEGIN WHILE NOT EXISTS (SELECT FROM released) LOOP PERFORM pg_sleep(0.02); END LOOP; END';
        COMMIT;
        """
      )
      try await until { try await watermark("j->>'process' IS NOT NULL", as: owner) != "f" }
      let hidden = "j->>'user', j->'age_seconds', j->'query', (j->>'process')::int > 0"
      #expect(try await watermark(hidden, as: role) == "\(owner)|null|null|t")
      #expect(try await watermark("(j->>'age_seconds')::int >= 0, j->>'query' <> ''", as: owner) == "t|t")
      try await db.psql("INSERT INTO released DEFAULT VALUES")
      _ = try await writer
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  private static func insert(_ count: Int) -> String { insert(1...count) }

  private static func insert(_ versions: ClosedRange<Int>) -> String {
    """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a', 'T', '{}', v FROM generate_series(\(versions.lowerBound), \(versions.upperBound)) v
    """
  }
}
