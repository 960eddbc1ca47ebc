import EventStore
import TestSupport
import Testing

/// What operators add to live tables by hand.
@Suite struct LiveAdditionTests {
  /// Indexes, constraints, statistics objects, triggers and column properties of the live table.
  private static let additions = """
    SELECT replace(pg_get_indexdef(indexrelid), 'annals_', ''), indisreplident FROM pg_index WHERE indrelid = 'public.sums'::regclass ORDER BY 1;
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'public.sums'::regclass ORDER BY 1;
    SELECT stxname, stxkind, stxkeys FROM pg_statistic_ext WHERE stxrelid = 'public.sums'::regclass ORDER BY 1;
    SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE tgrelid = 'public.sums'::regclass AND NOT tgisinternal ORDER BY 1;
    SELECT attname, attnotnull, attstattarget FROM pg_attribute WHERE attrelid = 'public.sums'::regclass AND attnum > 0;
    """

  /// Rebuilds with another file, or the same, and returns what was warned of.
  private func rebuild(_ shop: Shop, _ file: String = sums) async throws -> [String] {
    let store = try shop.store()
    let notices = Notices()
    await store.onNotice { notices.add($0) }
    let outcome = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(file.utf8)))
    #expect(outcome.ending == .live)
    return notices.all
  }

  @Test func survive() async throws {
    try await Shop.open(events: 30) { shop in
      // The table that their trigger writes to is declared like one that a handler writes to.
      let file = sums + "-- @writes public.told\n"
      try await shop.rebuild(file)
      try await shop.psql(
        """
        CREATE TABLE aggregates (id text PRIMARY KEY);
        INSERT INTO aggregates SELECT DISTINCT aggregate_id FROM events;
        CREATE INDEX "few ON public.sums USING x" ON sums (total DESC) INCLUDE (events) WHERE total < 10;
        CREATE UNIQUE INDEX once ON sums USING btree (lower(id), total);
        CREATE UNIQUE INDEX identity ON sums (id, events); ALTER TABLE sums REPLICA IDENTITY USING INDEX identity;
        ALTER TABLE sums ADD CHECK (total >= 0), ADD CONSTRAINT "both" UNIQUE (id, total) DEFERRABLE;
        ALTER TABLE sums ADD FOREIGN KEY (id) REFERENCES aggregates, ALTER total SET STATISTICS 500;
        CREATE STATISTICS related (ndistinct) ON events, total FROM sums;
        CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN INSERT INTO public.told VALUES (new.id); RETURN new; END';
        CREATE TABLE told (id text);
        CREATE TRIGGER "tell ON" AFTER INSERT OR UPDATE OF total ON sums FOR EACH ROW WHEN (new.total > 0)
          EXECUTE FUNCTION tell();
        CREATE CONSTRAINT TRIGGER later AFTER DELETE ON sums DEFERRABLE FOR EACH ROW EXECUTE FUNCTION tell();
        ALTER TABLE sums DISABLE TRIGGER later;
        """
      )
      let before = try await shop.psql(Self.additions)
      for _ in 1...2 { #expect(try await rebuild(shop, file) == []) }
      #expect(try await shop.psql(Self.additions) == before)
      // A trigger runs for events after the swap, not for history.
      #expect(try await shop.psql("SELECT count(*) FROM told") == "0")
      try await shop.append(1)
      try await shop.project(file)
      #expect(try await shop.psql("SELECT count(*) FROM told") == "1")
    }
  }

  @Test func ofPartitionsAndMaterializedViewsSurviveInAnySchema() async throws {
    let file = """
      -- @projection parts
      -- @schema The Reports
      -- @create
      CREATE TABLE "Parts" (n int, "The Text" text) PARTITION BY LIST (n);
      CREATE TABLE part_0 PARTITION OF "Parts" FOR VALUES IN (0);
      CREATE TABLE part_1 PARTITION OF "Parts" DEFAULT;
      CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
      CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM "Parts";
      -- @on Added
      INSERT INTO "Parts" VALUES (event.version % 2, event.aggregate_id);

      """
    try await Shop.open(events: 30) { shop in
      try await shop.psql("CREATE SCHEMA \"The Reports\"")
      #expect(try await rebuild(shop, file) == [])
      try await shop.psql(
        """
        SET search_path = "The Reports";
        CREATE INDEX ON "Parts" (twice(n), "The Text");
        CREATE INDEX only_here ON part_1 ("The Text");
        CREATE UNIQUE INDEX ON counted (count);
        """
      )
      let indexes =
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'The Reports' ORDER BY indexname"
      let before = try await shop.psql(indexes)
      #expect(before.split(separator: "\n").count == 5)
      #expect(try await rebuild(shop, file) == [])
      #expect(try await shop.psql(indexes) == before)
    }
  }

  @Test func thatNoLongerFitAreNamedBeforeTheWork() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql(
        """
        CREATE INDEX by_events ON sums (events); CREATE UNIQUE INDEX one ON sums (total);
        CREATE RULE quiet AS ON DELETE TO sums DO INSTEAD NOTHING;
        """
      )
      let newer = """
        -- @projection sums
        -- @version 2
        -- @create
        CREATE TABLE sums (id text PRIMARY KEY, total bigint NOT NULL);
        -- @on Added
        INSERT INTO sums VALUES (event.aggregate_id, 0) ON CONFLICT DO NOTHING;

        """
      let store = try shop.store()
      let notices = Notices()
      await store.onNotice { notices.add($0) }
      let plan = try await store.planRebuild(try Projection(path: "sums.sql", bytes: Array(newer.utf8)))
      let rule = "rule quiet on table sums is not taken over; put it into the projection file"
      let column = #"index by_events on table sums cannot be taken over: column "events" does not exist"#
      #expect(notices.all == [column, rule])
      #expect(plan.problems == [])
      #expect(plan.properties == ["CREATE UNIQUE INDEX one ON annals_sums_2.sums USING btree (total)"])
      let warnings = try await rebuild(shop, newer)
      #expect(
        warnings == [
          column, rule, column,
          #"index one on table sums cannot be taken over: could not create unique index "one""#,
        ]
      )
      #expect(try await shop.psql("SELECT count(*), sum(total) FROM sums") == "10|0")
    }
  }

  @Test func areToldFromWhatTheEarlierFileMade() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("CREATE INDEX by_events ON sums (events)")
      let newer = sums.replacing("CREATE INDEX sums_total ON sums (total);\n", with: "")
      let names =
        "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'sums'"
      for _ in 1...2 {
        #expect(try await rebuild(shop, newer) == [])
        #expect(try await shop.psql(names) == "by_events sums_pkey")
      }
      // The same index under another name is not made twice.
      #expect(
        try await rebuild(
          shop,
          newer.replacing("-- @on", with: "CREATE INDEX other ON sums (events);\n-- @on")
        ) == []
      )
      #expect(try await shop.psql(names) == "other sums_pkey")
    }
  }

  @Test func aRollbackTakesTriggersAndNamesTheRest() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.rebuild(sums)
      try await shop.psql(
        """
        CREATE INDEX by_events ON sums (events);
        CREATE TRIGGER same BEFORE UPDATE ON sums FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
        """
      )
      let store = try shop.store()
      let notices = Notices()
      await store.onNotice { notices.add($0) }
      #expect(try await store.rollBackProjection("sums").generation == 1)
      #expect(
        notices.all == ["index by_events on table sums was on generation 2 and is not on 1; create it again"]
      )
      let triggers =
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.sums'::regclass AND tgname = 'same'"
      #expect(try await shop.psql(triggers) == "1")
    }
  }

  @Test func aPolicyThatNoLongerFitsStopsBeforeTheFirstEvent() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("CREATE POLICY few ON sums USING (events < 3)")
      let newer = sums.replacing("events bigint", with: "number bigint").replacing(
        "events = sums.events",
        with: "number = sums.number"
      )
      let error = await shop.failure(of: newer)
      #expect(error?.code == .invalidDefinition)
      #expect(
        error?.message
          == #"the new tables of projection sums cannot take over what the live ones have: column "events" does not exist"#
      )
      #expect(try await shop.psql("SELECT max(number) FROM annals.generations") == "1")
    }
  }
}
