import FoundationEssentials
import TestSupport
import Testing

@Suite struct DoctorTests {
  @Test func aNewStoreIsWell() async throws {
    try await withEvents { db, annals in
      let run = try await annals(["doctor", "-o", "ndjson"])
      let items = try doctorItems(run)
      #expect(run.exitCode == 0)
      #expect(items.allSatisfy { $0.status == "ok" && $0.advice == nil }, "\(run.standardOutput)")
      #expect(items["versions", "annals"]?.value == "0.2.0")
      #expect(items["settings", "dbname"]?.value == db.name)
      #expect(items["settings", "dbname"]?.source == "PGDATABASE")
      #expect(items["settings", "output"]?.source == "--output")
      #expect(items["indexes", "order of the store"]?.value == "public.events_position_key")
      #expect(items["table", "positions"]?.value == "final behind the watermark")
    }
  }

  /// No index is advised on a column that the table does not have.
  @Test func aTableOfOtherColumns() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        "CREATE TABLE log (aggregate_id text, event_type text, event_data jsonb, version int, at timestamptz)"
      )
      let run = try await annals(["doctor", "--table", "log", "-o", "ndjson"])
      #expect(run.exitCode == 2 && !run.standardOutput.contains("CREATE"), "\(run.standardOutput)")
      let item = try #require(try doctorItems(run)["table", "columns"])
      #expect(item.value.contains("column id (uuid) is missing"))
      #expect(item.advice?.contains("--columns or --layout") == true, "\(item)")
      let types = try await annals(["types", "--table", "log"])
      #expect(
        types.exitCode == 78 && types.standardError.contains("with --columns or --layout"),
        "\(types.standardError)"
      )
    }
  }

  /// Each fault, the item that finds it, and the advice: following it fixes the fault.
  @Test(arguments: [
    ("ALTER SEQUENCE events_position_seq CACHE 30", "table", "sequence cache", "problem"),
    ("ALTER SEQUENCE events_position_seq CYCLE", "table", "sequence order", "problem"),
    (
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version)
      SELECT 'a', 't', '{}', v FROM generate_series(1, 9) v;
      ANALYZE events; SELECT setval('events_position_seq', 1)
      """, "table", "sequence behind", "problem"
    ),
    ("ALTER TABLE events SET (autovacuum_enabled = off)", "table", "autovacuum", "problem"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "rights", "create in schemas", "problem"),
    ("GRANT CREATE ON SCHEMA public TO pg_monitor", "rights", "create in schemas", "note"),
    ("ALTER TABLE events DROP CONSTRAINT events_position_key", "indexes", "order of the store", "problem"),
    (
      "ALTER TABLE events DROP CONSTRAINT events_aggregate_id_version_key; CREATE INDEX ON events (aggregate_id, version)",
      "indexes", "one event a version", "problem"
    ),
    ("DROP INDEX events_event_type_position_idx", "indexes", "rare types", "note"),
    ("CREATE INDEX \"the Same\" ON events (aggregate_id)", "indexes", "public.\"the Same\"", "note"),
    ("CREATE UNIQUE INDEX again ON events (position)", "indexes", "public.again", "note"),
    (
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'events_event_type_position_idx'::regclass",
      "indexes", "public.events_event_type_position_idx", "problem"
    ),
    (
      sortingIDsByLocale(in: "events"), "indexes", "categories",
      "note"
    ),
  ])
  func aFaultIsFoundAndItsAdviceMendsIt(
    fault: String,
    area: String,
    name: String,
    status: String
  ) async throws {
    try await withEvents { db, annals in
      try await db.psql(fault)
      let run = try await annals(["doctor", "-o", "ndjson"])
      #expect(run.exitCode == (status == "problem" ? 2 : 0), "\(run.standardError)")
      let found = try #require(try doctorItems(run)[area, name])
      #expect(found.status == status)
      let advice = try #require(found.advice).split(separator: "; then").first.map(String.init)
      try await db.psql(try #require(advice))
      let after = try doctorItems(try await annals(["doctor", "-o", "ndjson"]))
      #expect([nil, "ok"].contains(after[area, name]?.status), "\(advice ?? "")")
    }
  }

  /// A unique index on a partitioned table contains the partition key: if the advice is SQL, it works there.
  @Test(arguments: [
    (#"PRIMARY KEY (id, "timestamp")) PARTITION BY RANGE ("timestamp""#, "note", "note"),
    (#"id2 int) PARTITION BY RANGE ((extract(year FROM "timestamp" AT TIME ZONE 'UTC'))"#, "note", "note"),
    ("id2 int) PARTITION BY RANGE (id2, version", "note", "note"),
    ("id2 int) PARTITION BY RANGE (aggregate_id", "problem", "problem"),
    ("id2 int) PARTITION BY RANGE (id", "note", "problem"),
  ])
  func adviceForAPartitionedTableCanBeDone(key: String, version: String, id: String) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (id uuid, aggregate_id text, event_type text, event_data jsonb, version int,
          "timestamp" timestamptz, metadata jsonb, position bigint GENERATED ALWAYS AS IDENTITY, \(key));
        CREATE TABLE rest PARTITION OF events DEFAULT
        """
      )
      let annals = { try await AnnalsBinary.run(["doctor", "-o", "ndjson"], environment: db.environment) }
      let before = try doctorItems(try await annals())
      let versions = try #require(before["indexes", "one event a version"])
      let ids = try #require(before["indexes", "one event an id"])
      #expect([versions.status, ids.status] == [version, id])
      for (item, finding) in [(versions, "duplicate_version"), (ids, "duplicate_id")]
      where item.status == "note" {
        #expect(item.value == "no index can ensure it")
        #expect(item.advice?.hasPrefix("A unique index would have to contain the partition key (") == true)
        #expect(item.advice?.contains("'annals verify-versions --only \(finding)'") == true)
      }
      for item in before where item.area == "indexes" && !item.value.hasPrefix("no index can") {
        if let advice = item.advice { try await db.psql(advice) }
      }
      let after = try doctorItems(try await annals()).filter { $0.area == "indexes" && $0.status != "ok" }
      #expect(after.allSatisfy { $0.value == "no index can ensure it" }, "\(after)")
    }
  }

  @Test func anIndexDoesNotHoldForTablesThatInherit() async throws {
    try await withEvents { db, annals in
      try await db.psql("CREATE TABLE old_events () INHERITS (events)")
      let items = try doctorItems(try await annals(["doctor", "-o", "ndjson"]))
      for name in ["one event a version", "one event an id"] {
        #expect(items["indexes", name]?.advice?.contains("inherit") == true)
      }
    }
  }

  @Test func aTableWithoutStatistics() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        ALTER TABLE events SET (autovacuum_enabled = off);
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 't', '{}', 1);
        """
      )
      let before = try doctorItems(try await annals(["doctor", "-o", "ndjson"]))
      #expect(before["table", "statistics"]?.status == "problem")
      try await db.psql(try #require(before["table", "statistics"]?.advice))
      let after = try doctorItems(try await annals(["doctor", "-o", "ndjson"]))
      #expect(after["table", "statistics"]?.status == "ok")
    }
  }

  /// A role without any right gets an answer, and with the advised rights another one.
  @Test func rights() async throws {
    try await withEvents { db, annals in
      let role = "doctor_\(db.name)"
      try await db.psql("CREATE ROLE \(role) LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
      let arguments = ["doctor", "-U", role, "-o", "ndjson"]
      let run = try await annals(arguments)
      #expect(run.exitCode == 2)
      let before = try doctorItems(run).filter { $0.area == "rights" }
      #expect(before.map(\.status) == ["problem", "note", "ok", "note", "note"])
      try await db.psql(before.compactMap(\.advice).joined(separator: "\n"))
      let after = try doctorItems(try await annals(arguments)).filter { $0.area == "rights" }
      #expect(after.map(\.value) == ["yes", "yes", "owners alone", "yes", "yes"])

      let readOnly = db.environment.merging(["PGOPTIONS": "-c default_transaction_read_only=on"]) { $1 }
      let session = try await AnnalsBinary.run(["doctor", "-o", "ndjson"], environment: readOnly)
      #expect(
        try doctorItems(session).filter { $0.area == "rights" }.map(\.value)
          == ["yes", "no", "owners alone", "no", "no"]
      )
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  /// Commands that must see every event refuse such a role, so doctor reports it before.
  @Test func aPolicyThatHidesEventsIsNoted() async throws {
    try await withEvents { db, annals in
      let role = "doctor_\(db.name)"
      try await db.psql(
        """
        CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role);
        ALTER TABLE events ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON events TO \(role) USING (aggregate_id = 'mine')
        """
      )
      let arguments = ["doctor", "-U", role, "-o", "ndjson"]
      let found = try #require(try doctorItems(try await annals(arguments))["rights", "row security"])
      #expect(found.status == "note" && found.advice?.contains("BYPASSRLS") == true)
      try await db.psql("ALTER ROLE \(role) BYPASSRLS")
      #expect(try doctorItems(try await annals(arguments))["rights", "row security"] == nil)
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  @Test func otherTables() async throws {
    try await TestCluster.withDatabase { db in
      let missing = try doctorItems(try await db.annals("doctor", "-o", "ndjson"))
      #expect(missing["table", "public.events"]?.value == "missing")
      #expect(missing["records", "schema annals"]?.status == "note")
      #expect(missing["table", "public.events"]?.advice?.contains("'annals layouts' shows which") == true)
      try await db.psql(
        """
        CREATE TABLE events (id uuid PRIMARY KEY, aggregate_id text, event_type text, event_data jsonb, version integer,
          "timestamp" timestamp, UNIQUE (aggregate_id, version));
        CREATE TABLE other (id integer);
        """
      )
      let classic = try await db.annals("doctor", "-o", "ndjson")
      #expect(try doctorItems(classic)["table", "public.events"]?.value == "classic table, no position")
      #expect(classic.exitCode == 0)
      let other = try await db.annals("doctor", "-o", "ndjson", "--table", "other")
      #expect(other.exitCode == 2)
      #expect(
        try doctorItems(other)["table", "columns"]?.value.contains("column event_data (jsonb) is missing")
          == true
      )
    }
  }

  @Test func withoutAConnectionItSaysWhereItLooked() async throws {
    let run = try await AnnalsBinary.run(
      ["doctor", "-o", "ndjson", "-p", "1", "-d", "host=localhost password=secret-word"],
      environment: ["PGUSER": "somebody", "ANNALS_TABLE": "shop.events"]
    )
    #expect(run.exitCode == 69)
    let items = try doctorItems(run)
    #expect(items["settings", "host"]?.source == "connection string")
    #expect(items["settings", "port"]?.source == "--port")
    #expect(items["settings", "user"]?.source == "PGUSER")
    #expect(items["settings", "dbname"]?.source == "default")
    #expect(items["settings", "table"]?.source == "ANNALS_TABLE")
    #expect(items["settings", "password"]?.value == "********")
    #expect(!(run.standardOutput + run.standardError).contains("secret-word"))
  }

  @Test func serviceFile() async throws {
    try await TestCluster.withDatabase { db in
      let file = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      let limits = "connect_timeout=7\nkeepalives_idle=77\n"
      let lines = "[shop]\n" + db.conninfo.replacing(" ", with: "\n") + "\n" + limits
      try lines.write(toFile: file, atomically: true, encoding: .utf8)
      let environment = ["PGSERVICEFILE": file, "PGSERVICE": "shop"]
      let run = try await AnnalsBinary.run(["doctor", "-o", "ndjson"], environment: environment)
      try FileManager.default.removeItem(atPath: file)
      let items = try doctorItems(run)
      #expect(items["settings", "host"]?.source == "service file")
      #expect(items["settings", "dbname"]?.source == "service file")
      #expect(items["settings", "service"]?.source == "PGSERVICE")
      // Not what annals itself would set.
      #expect(items["settings", "connect_timeout"]?.value == "7")
      #expect(items["settings", "keepalives_idle"]?.value == "77")
    }
  }
}

struct DoctorItem: Decodable {
  let area: String
  let name: String
  let value: String
  let source: String?
  let status: String
  let advice: String?
}

func doctorItems(_ run: ProgramRun) throws -> [DoctorItem] {
  try run.standardOutput.split(separator: "\n").map {
    try JSONDecoder().decode(DoctorItem.self, from: Data($0.utf8))
  }
}

extension [DoctorItem] {
  subscript(_ area: String, _ name: String) -> DoctorItem? {
    first { $0.area == area && $0.name == name }
  }
}
