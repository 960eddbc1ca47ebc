import FoundationEssentials
import TestSupport
import Testing

@Suite struct ManifestTests {
  @Test func everyColumnIsCovered() async throws {
    try await withManifest(aggregates: 1, versions: 9) { db, manifest in
      try await db.psql(
        """
        UPDATE events SET id = gen_random_uuid() WHERE version = 1;
        UPDATE events SET event_type = 'Other' WHERE version = 2;
        UPDATE events SET event_data = event_data || '{"x": null}' WHERE version = 3;
        UPDATE events SET "timestamp" = "timestamp" + interval '1 microsecond' WHERE version = 4;
        UPDATE events SET metadata = '{}' WHERE version = 5;
        UPDATE events SET event_data = event_data WHERE version = 6;
        """
      )
      #expect(try await db.verify("--against", manifest) == "event_changed s-1 1 5\n2")
      // The key's order and white space are no part of a jsonb value.
      try await db.psql("UPDATE events SET event_data = '{ \"n\":1 }' WHERE version = 9")
      #expect(try await db.verify("--against", manifest) == "event_changed s-1 1 5\n2")
    }
  }

  @Test func everyKindOfChangeIsNamed() async throws {
    try await withManifest(aggregates: 9, versions: 6) { db, manifest in
      try await db.psql(
        """
        ALTER TABLE events DROP CONSTRAINT events_aggregate_id_version_key;
        DELETE FROM events WHERE aggregate_id = 's-1' AND version = 3;
        UPDATE events SET version = 7 - version WHERE aggregate_id = 's-2' AND version IN (3, 4);
        DELETE FROM events WHERE aggregate_id = 's-3' AND version > 4;
        DELETE FROM events WHERE aggregate_id = 's-4' AND version = 2;
        UPDATE events SET version = version - 1 WHERE aggregate_id = 's-4' AND version > 2;
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-5', 'T', '{}', 6);
        DELETE FROM events WHERE aggregate_id = 's-6';
        -- Appended since, which is what streams are for.
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-7', 'T', '{}', 7), ('t', 'T', '{}', 1);
        UPDATE events SET aggregate_id = 's-99' WHERE aggregate_id = 's-9';
        """
      )
      #expect(
        try await db.verify(
          "--only",
          "event_changed,event_removed,event_added,event_moved,stream_cut_off",
          "--against",
          manifest
        )
          == """
          event_removed s-1 3 null
          event_moved s-2 3 null
          event_moved s-2 4 null
          stream_cut_off s-3 5 6
          event_removed s-4 2 null
          event_moved s-4 3 6
          event_added s-5 6 null
          stream_cut_off s-6 1 6
          stream_cut_off s-9 1 6
          2
          """
      )
    }
  }

  @Test func aCopyHasTheSameRoot() async throws {
    try await withManifest(aggregates: 5, versions: 4) { db, manifest in
      try await TestCluster.withDatabase { copy in
        try await copy.psql(
          """
          CREATE TABLE events (metadata jsonb, version int, event_data jsonb, aggregate_id text, event_type text, id uuid,
            "timestamp" timestamp)
          """
        )
        let rows = try await db.psql(
          "COPY (SELECT id, aggregate_id, event_type, event_data, version, \"timestamp\" AT TIME ZONE 'UTC' FROM events"
            + " ORDER BY random()) TO STDOUT"
        )
        try await copy.psql(
          "COPY events (id, aggregate_id, event_type, event_data, version, \"timestamp\") FROM STDIN;\n\(rows)\n\\.\n"
        )
        #expect(try await copy.verify("--against", manifest, "--skip", "classic_table") == "0")
        let second = manifest + ".copy"
        #expect(try await copy.verify("--manifest", second, "--skip", "classic_table") == "0")
        let roots = try await runShell(
          "for f in \(manifest) \(second); do sed '1d;$d' $f | sha256sum; tail -1 $f; done"
        )
        let lines = roots.standardOutput.split(separator: "\n")
        #expect(lines.count == 4 && lines[0] == lines[2] && lines[1] == lines[3])
        #expect(
          lines[1].contains(lines[0].prefix(64)),
          "the root is what sha256sum says of the lines between"
        )
      }
    }
  }

  @Test func aDamagedManifestIsRefused() async throws {
    try await withManifest(aggregates: 3, versions: 3) { db, manifest in
      for script in [
        "s/\"events\":3/\"events\":2/", "s/1\\.\\.3/1..4/", "$d", "2d", "1d", "s/\"chain\":\"./&0/",
      ] {
        _ = try await runShell("sed '\(script)' \(manifest) > \(manifest).bad")
        let run = try await AnnalsBinary.run(
          ["verify-versions", "--against", manifest + ".bad"],
          environment: db.environment
        )
        #expect(run.exitCode == 65, "\(script)")
        #expect(run.standardError.contains("the manifest cannot be trusted"), "\(script)")
      }
      #expect(try await db.verify("--against", manifest + ".none") == "65")
    }
  }

  @Test func oddNamesAndVersionsSurviveTheFile() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 0, versions: 0)
      try await db.psql(
        #"""
        ALTER TABLE events ALTER version DROP NOT NULL, DROP CONSTRAINT events_version_check,
          DROP CONSTRAINT events_aggregate_id_version_key;
        INSERT INTO events (aggregate_id, event_type, event_data, version) SELECT a, 'T', '{}', v
          FROM unnest(ARRAY[E'"\\/\t\n', 'Ünïcødé-😀', 'z', 'Z', E'\u0001']) a, unnest(ARRAY[-5, 3, 4, 4, 9, NULL]) v
        """#
      )
      try await withTemporaryDirectory { directory in
        let manifest = directory + "/m"
        let only = ["--only", "event_changed,event_removed,event_added,event_moved,stream_cut_off"]
        #expect(try await db.verify(only + ["--manifest", manifest]) == "0")
        #expect(try await db.verify(only + ["--against", manifest]) == "0")
        try await db.psql(
          "UPDATE events SET event_type = 'U' WHERE aggregate_id = 'Ünïcødé-😀' AND version = 9"
        )
        #expect(try await db.verify(only + ["--against", manifest]) == "event_changed Ünïcødé-😀 9 null\n2")
      }
    }
  }

  /// Random faults, one in each stream: the versions must show all that they can, and the manifest must show all of
  /// them.
  ///
  /// ANNALS_TEST_FAULTS sets the number; the seed is fixed.
  @Test func randomFaultsAreFound() async throws {
    let count = ProcessInfo.processInfo.environment["ANNALS_TEST_FAULTS"].flatMap { Int($0) } ?? 200
    try await withManifest(aggregates: 50, versions: 8) { db, manifest in
      try await db.psql(
        """
        ALTER TABLE events DROP CONSTRAINT events_aggregate_id_version_key, DROP CONSTRAINT events_pkey,
          DROP CONSTRAINT events_position_key, DROP CONSTRAINT events_version_check;
        CREATE TABLE sound AS TABLE events;
        """
      )
      var random = Linear(state: 42)
      for _ in 0..<(count + 49) / 50 {
        let faults = (1...50).map { RandomFault(&random, aggregateID: "s-\($0)", versions: 8) }
        try await db.psql(faults.map(\.sql).joined(separator: ";\n"))
        let byVersions = try await db.verify("--only", "versions").split(separator: "\n")
        let byManifest = try await db.verify("--against", manifest).split(separator: "\n")
        for fault in faults {
          let isSeen = byVersions.contains { $0.contains(" \(fault.aggregateID) ") }
          #expect(isSeen == fault.isVisibleInVersions, "\(fault.sql)")
          #expect(byManifest.contains { $0.hasPrefix(fault.expected) }, "\(fault.sql)")
        }
        try await db.psql("TRUNCATE events; INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM sound")
        #expect(try await db.verify("--against", manifest) == "0")
      }
    }
  }

  private func withManifest(
    aggregates: Int,
    versions: Int,
    _ body: (TestDatabase, String) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: aggregates, versions: versions)
      try await withTemporaryDirectory { directory in
        let manifest = directory + "/manifest"
        #expect(try await db.verify("--manifest", manifest) == "0")
        #expect(try await db.verify("--against", manifest) == "0")
        try await body(db, manifest)
      }
    }
  }
}

/// A fault such as a superuser can make by hand, and the finding that must name it.
private struct RandomFault {
  let aggregateID: String
  let sql: String
  let expected: String
  let isVisibleInVersions: Bool

  init(_ random: inout Linear, aggregateID aggregate: String, versions: Int) {
    aggregateID = aggregate
    let version = random.next(1...versions - 1)
    let at = "aggregate_id = '\(aggregate)' AND version"
    switch random.next(0...8) {
    case 0:
      sql = "DELETE FROM events WHERE \(at) = \(version)"
      (expected, isVisibleInVersions) = ("event_removed \(aggregate) \(version) ", true)
    case 1:
      let column = ["id = gen_random_uuid()", "event_type = event_type || 'x'", "metadata = 'null'"]
      sql = "UPDATE events SET \(column[random.next(0...2)]) WHERE \(at) = \(version)"
      (expected, isVisibleInVersions) = ("event_changed \(aggregate) \(version) ", false)
    case 2:
      sql = "UPDATE events SET event_data = jsonb_set(event_data, '{n}', '-1') WHERE \(at) = \(version)"
      (expected, isVisibleInVersions) = ("event_changed \(aggregate) \(version) ", false)
    case 3:
      let other = random.next(version + 1...versions)
      sql = "UPDATE events SET version = \(version + other) - version WHERE \(at) IN (\(version), \(other))"
      (expected, isVisibleInVersions) = ("event_moved \(aggregate) \(version) ", false)
    case 4:
      sql = """
        INSERT INTO events OVERRIDING SYSTEM VALUE SELECT gen_random_uuid(), aggregate_id, event_type, event_data,
          version, "timestamp", metadata, position FROM events WHERE \(at) = \(version)
        """
      (expected, isVisibleInVersions) = ("event_added \(aggregate) \(version) ", true)
    case 5:
      sql = "UPDATE events SET version = -version WHERE \(at) = \(version)"
      (expected, isVisibleInVersions) = ("event_moved \(aggregate) \(version) ", true)
    case 6:
      sql = "DELETE FROM events WHERE \(at) > \(version)"
      (expected, isVisibleInVersions) = ("stream_cut_off \(aggregate) \(version + 1) ", false)
    case 7:
      sql = """
        DELETE FROM events WHERE \(at) = \(version); UPDATE events SET version = version - 1 WHERE \(at) > \(version)
        """
      (expected, isVisibleInVersions) = ("event_removed \(aggregate) \(version) ", false)
    default:
      sql = "UPDATE events SET \"timestamp\" = \"timestamp\" + interval '1 second' WHERE \(at) = \(version)"
      (expected, isVisibleInVersions) = ("event_changed \(aggregate) \(version) ", false)
    }
  }
}

/// A linear congruential generator (Knuth's MMIX constants): the same faults in every run.
private struct Linear {
  var state: UInt64

  mutating func next(_ range: ClosedRange<Int>) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return range.lowerBound + Int(state >> 33) % range.count
  }
}
