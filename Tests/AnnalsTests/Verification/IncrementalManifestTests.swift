import TestSupport
import Testing

@Suite struct IncrementalManifestTests {
  /// Names and versions as only a table without constraints has them.
  private static let oddEvents = #"""
    ALTER TABLE events ALTER version DROP NOT NULL, DROP CONSTRAINT events_version_check,
      DROP CONSTRAINT events_aggregate_id_version_key;
    INSERT INTO events (aggregate_id, event_type, event_data, version) SELECT a, 'T', '{}', v
      FROM unnest(ARRAY['{events}', E'it''s \\ \n', 'Ünïcødé-😀', 'Z', 'z']) a, unnest(ARRAY[-5, 3, 4, 4, 9, NULL]) v;
    """#

  @Test func itIsTheManifestOfAFullRun() async throws {
    try await withStore { db, directory in
      try await db.psql(Self.oddEvents)
      let only = [
        "--skip", "gap,wrong_first_version,duplicate_version,invalid_version,time_order,position_order",
      ]
      #expect(try await db.verify(only + ["--manifest", directory + "/old"]) == "0")
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) SELECT a, 'T', '{}', v FROM (VALUES
          ('s-1', 5), ('s-1', 6), ('s-3', 5), ('new', 1), ('new', 2), ('s-4', 2147483647), ('{events}', 10), ('Z', 4),
          ('z', NULL), ('new-null', NULL), ('''', 1), ('s-10', 1)) AS e (a, v)
        """
      )
      // Not appended: a doubled version, and an event without one. Their streams are read whole.
      #expect(
        try await db.verify(
          only + ["--incremental", "--against", directory + "/old", "--manifest", directory + "/new"]
        ) == "event_added Z 4 null\nevent_added z null null\n2"
      )
      try await expectFullManifest(directory + "/new", db, only)
      #expect(try await db.verify(only + ["--incremental", "--against", directory + "/new"]) == "0")
    }
  }

  /// A position below the manifest's head is no sign that an event was seen.
  @Test func aWriterThatCommitsLateIsNotMissed() async throws {
    try await withStore { db, directory in
      async let writing = db.psql(
        """
        BEGIN; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-2', 'T', '{}', 5);
        DO $$ BEGIN
          WHILE NOT EXISTS (SELECT FROM events WHERE event_type = 'Written') LOOP PERFORM pg_sleep(0.01); END LOOP;
        END $$;
        COMMIT
        """
      )
      let writers = "FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = 'events'::regclass"
      try await until { try await db.psql("SELECT count(*) \(writers)") != "0" }
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-3', 'T', '{}', 5)"
      )
      #expect(try await db.verify("--manifest", directory + "/old") == "0")
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-4', 'Written', '{}', 5)"
      )
      _ = try await writing
      #expect(
        try await db.psql(
          "SELECT position < (SELECT max(position) FROM events) FROM events WHERE aggregate_id = 's-2' AND version = 5"
        )
          == "t"
      )
      let new = directory + "/new"
      #expect(try await db.verify("--incremental", "--against", directory + "/old", "--manifest", new) == "0")
      try await expectFullManifest(new, db, [])
    }
  }

  /// Of events that were seen before, only the numbers are compared; edited events are left to a full check.
  @Test func whatItFindsAndWhatItLeavesToAFullCheck() async throws {
    try await withStore { db, directory in
      let (old, new) = (directory + "/old", directory + "/new")
      #expect(try await db.verify("--manifest", old) == "0")
      try await db.psql(
        """
        UPDATE events SET event_type = 'Edited' WHERE aggregate_id IN ('s-1', 's-2') AND version = 2;
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-2', 'T', '{}', 5);
        """
      )
      #expect(try await db.verify("--incremental", "--against", old, "--manifest", new) == "0")
      #expect(
        try await db.verify("--against", new) == "event_changed s-1 2 null\nevent_changed s-2 2 null\n2"
      )
      try await db.psql(
        """
        UPDATE events SET event_type = 'Happened' WHERE event_type = 'Edited';
        DELETE FROM events WHERE aggregate_id = 's-1' AND version = 4;
        DELETE FROM events WHERE aggregate_id = 's-3';
        UPDATE events SET version = 9 WHERE aggregate_id = 's-4' AND version = 4;
        """
      )
      let expected = ["event_moved s-4 4 null", "stream_cut_off s-1 4 null", "stream_cut_off s-3 1 4", "2"]
      for mode in [[], ["--incremental"]] {
        // The streams that are gone are told of before the others around them.
        let found = try await db.verify(mode + ["--skip", "gap", "--against", new]).split(separator: "\n")
        #expect((found.dropLast().sorted() + found.suffix(1)).map { String($0) } == expected, "\(mode)")
      }
    }
  }

  @Test func aStoreWithoutPositionsIsRefused() async throws {
    try await withStore { db, directory in
      #expect(try await db.verify("--manifest", directory + "/old") == "0")
      try await db.psql("ALTER TABLE events DROP COLUMN position")
      let run = try await AnnalsBinary.run(
        [
          "verify-versions", "--incremental", "--against", directory + "/old", "--manifest",
          directory + "/new",
        ],
        environment: db.environment
      )
      #expect(run.exitCode == 78)
      #expect(run.standardError.contains("an incremental check needs the order of the whole store"))
      #expect(try await runShell("ls \(directory)").standardOutput == "old\n")
    }
  }

  /// All but the header, which says when it was made.
  private func expectFullManifest(_ manifest: String, _ db: TestDatabase, _ arguments: [String]) async throws
  {
    #expect(try await db.verify(arguments + ["--manifest", manifest + ".full"]) == "0")
    let same = try await runShell(
      "sed 1d \(manifest) > \(manifest).1; sed 1d \(manifest).full | cmp - \(manifest).1"
    )
    #expect(same.exitCode == 0, "\(same.standardOutput)\(same.standardError)")
  }

  private func withStore(_ body: (TestDatabase, String) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 4, versions: 4)
      try await withTemporaryDirectory { try await body(db, $0) }
    }
  }
}
