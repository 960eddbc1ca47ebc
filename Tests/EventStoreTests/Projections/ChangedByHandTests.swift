import EventStore
import LibPQ
import TestSupport
import Testing

/// If an operator changed a read model by hand so that a swap would lose a table, the swap stops before anything moves.
@Suite struct ChangedByHandTests {
  private static let kinds = """
    -- @projection sums
    -- @create
    CREATE TYPE colour AS ENUM ('red');
    CREATE TABLE sums (id text PRIMARY KEY, events bigint NOT NULL, total bigint NOT NULL);
    CREATE TABLE shades (c colour, n bigint);
    CREATE VIEW big AS SELECT * FROM sums WHERE total > 10;
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id, 1, (event.event_data->>'n')::bigint)
    ON CONFLICT (id) DO UPDATE SET events = sums.events + 1, total = sums.total + excluded.total;

    """

  /// Where everything is.
  private static let places = """
    SELECT string_agg(relnamespace::regnamespace || '.' || relname, ' ' ORDER BY 1, relname) FROM pg_class
    WHERE relkind IN ('r', 'v') AND (relnamespace = 'public'::regnamespace OR relnamespace::regnamespace::text LIKE 'annals\\_%')
      AND relname NOT LIKE 'events%' GROUP BY ()
    """

  private static let harms: [(sql: String, named: String)] = [
    ("DROP TABLE sums CASCADE", "table sums, view big"),
    ("ALTER TABLE sums RENAME TO old_sums; ALTER INDEX sums_pkey RENAME TO old_pkey", "table sums"),
    ("DROP VIEW big", "view big"),
    ("DROP TYPE colour CASCADE", "type colour"),
    (
      "DROP TABLE shades; CREATE VIEW annals_sums_1.shades AS SELECT 1",
      "table shades; schema annals_sums_1 also has view shades"
    ),
  ]

  @Test(arguments: harms)
  func whatWasDroppedFromTheLiveModelCannotComeBack(sql: String, named: String) async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(Self.kinds)
      try await shop.psql(sql)
      #expect(try await shop.rebuild(Self.kinds).ending == .live)
      let error = try await refusedRollback(shop)
      #expect(error?.code == .failed)
      #expect(error?.message == "generation 1 of projection sums is no longer whole: it lacks \(named)")
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test(arguments: [
    ("DROP SCHEMA annals_sums_1 CASCADE", "it lacks table shades, table sums, type colour, view big"),
    ("DROP TABLE annals_sums_1.shades", "it lacks table shades"),
    ("CREATE TABLE annals_sums_1.mine ()", "schema annals_sums_1 also has table mine"),
  ])
  func anEarlierGenerationThatWasChangedIsNotSwappedIn(sql: String, why: String) async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(Self.kinds)
      try await shop.rebuild(Self.kinds)
      try await shop.psql(sql)
      let error = try await refusedRollback(shop)
      #expect(error?.message.hasSuffix(why) == true, "\(error?.message ?? "rolled back")")
    }
  }

  /// Its index keeps its name.
  @Test func aTableThatWasRenamedIsInTheWay() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("ALTER TABLE sums RENAME TO old_sums")
      let error = await shop.failure(of: sums)
      #expect(error?.message == "schema public already has index sums_pkey, index sums_total")
    }
  }

  /// Its name in the catalogue has the type's schema or not, depending on the search path.
  @Test func aFunctionOfATypeOfTheModelMovesWithIt() async throws {
    let file = Self.kinds.replacing(
      "-- @on",
      with: """
        CREATE FUNCTION is_red(c colour) RETURNS boolean LANGUAGE sql AS $$ SELECT c = 'red' $$;
        -- @on
        """
    )
    try await Shop.open(events: 30) { shop in
      for _ in 1...3 { try await shop.rebuild(file) }
      let store = try shop.store()
      try await store.rollBackProjection("sums")
      try await store.rollBackProjection("sums")
      #expect(
        try await shop.psql(
          "SELECT is_red('red'), pronamespace::regnamespace FROM pg_proc WHERE proname = 'is_red' AND pronamespace = 'public'::regnamespace"
        ) == "t|public"
      )
    }
  }

  @Test func aNameThatWasTakenStopsARollback() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(Self.kinds)
      try await shop.rebuild(sums)
      try await shop.psql("CREATE VIEW shades AS SELECT 1")
      let error = try await refusedRollback(shop)
      #expect(error?.message == "schema public already has view shades")
    }
  }

  @Test func aViewInThePlaceOfADroppedTableStopsARebuildAtOnce() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("DROP TABLE sums; CREATE VIEW sums AS SELECT 1 AS id")
      let error = await shop.failure(of: sums)
      #expect(error?.code == .invalidDefinition)
      #expect(error?.message == "schema public already has view sums")
      #expect(try await shop.psql("SELECT count(*) FROM annals.generations") == "1")
    }
  }

  /// The name is taken after the check at the beginning.
  @Test func aNameThatIsTakenDuringTheBuildStopsTheSwap() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("DROP TABLE sums")
      try await shop.rebuild(sums) { $0.swaps = false }
      try await shop.psql("CREATE VIEW sums AS SELECT 1 AS id")
      let before = try await shop.psql(Self.places)
      #expect(await shop.failure(of: sums)?.message == "schema public already has view sums")
      #expect(try await shop.psql(Self.places) == before)
    }
  }

  @Test(arguments: [
    ("DROP TABLE annals_sums_2.shades", "it lacks table shades"),
    ("CREATE TABLE annals_sums_2.mine ()", "schema annals_sums_2 also has table mine"),
  ])
  func aBuildThatWaitsAndWasChangedIsNotSwappedIn(sql: String, why: String) async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(Self.kinds)
      try await shop.rebuild(Self.kinds) { $0.swaps = false }
      try await shop.psql(sql)
      let before = try await shop.psql(Self.places)
      let error = await shop.failure(of: Self.kinds)
      #expect(error?.message.hasSuffix(why) == true, "\(error?.message ?? "swapped")")
      #expect(try await shop.psql(Self.places) == before)
    }
  }

  /// It is empty while the generation is live, so somebody may tidy it away.
  @Test func theEmptySchemaOfTheLiveGenerationMayBeDropped() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("DROP SCHEMA annals_sums_1")
      #expect(try await shop.rebuild(sums).ending == .live)
      let store = try shop.store()
      try await store.rollBackProjection("sums")
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// Nothing moved, and nothing is gone.
  private func refusedRollback(_ shop: Shop) async throws -> EventStoreError? {
    let before = try await shop.psql(Self.places)
    let store = try shop.store()
    let error = await #expect(throws: EventStoreError.self) { try await store.rollBackProjection("sums") }
    #expect(try await shop.psql(Self.places) == before)
    return error
  }
}
