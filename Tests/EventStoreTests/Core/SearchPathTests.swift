import EventStore
import TestSupport
import Testing

/// Functions and operators that others put where a search path leads are not called.
@Suite struct SearchPathTests {
  /// Notes who calls an operator that fits `aggregate_id = $1` better than PostgreSQL's own.
  private static let hostileOperator = """
    CREATE TABLE calls (role text);
    GRANT INSERT ON calls TO PUBLIC;
    CREATE FUNCTION noted(varchar, text) RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO public.calls VALUES (current_user); RETURN $1::text OPERATOR(pg_catalog.=) $2; END $$;
    CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = text, FUNCTION = noted);
    """

  private static var ofType: EventQuery {
    var query = EventQuery()
    query.types = ["Added"]
    return query
  }

  /// Runs the operations of a store with their comparisons and computations.
  private func useEverything(of shop: Shop) async throws {
    let store = try shop.store()
    _ = try await store.append([NewEvent(type: "Added", data: #"{"n": 7}"#)], to: "a-1")
    _ = try await store.writeNDJSON(EventQuery(aggregateID: "a-1")) { _ in }
    _ = try await store.writeNDJSON(Self.ofType) { _ in }
    _ = try await store.takeSnapshots(of: .all)
    _ = try await store.watermark()
    var options = ReplayOptions()
    options.checkpoint = "mail"
    _ = try await store.replay(EventQuery(), options) { _ in }
    _ = try await store.projections()
  }

  @Test func aBetterFittingOperatorOfAnotherRoleIsNotCalled() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.psql(Self.hostileOperator)
      try await useEverything(of: shop)
      #expect(try await shop.psql("SELECT count(*) FROM calls") == "0")
      // The operator is one that a session with the usual path would call.
      try await shop.psql("SELECT FROM events WHERE aggregate_id = 'a-1'::text")
      #expect(try await shop.psql("SELECT count(*) > 0 FROM calls") == "t")
    }
  }

  /// A path in which PostgreSQL's own schema comes last, so that even its exact names are taken elsewhere.
  @Test func aHostilePathOfTheDatabaseHasNoEffect() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.psql(
        """
        CREATE SCHEMA hostile;
        CREATE TABLE calls (role text);
        CREATE FUNCTION hostile.count(jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO public.calls VALUES (current_user); RETURN 0; END $$;
        CREATE FUNCTION hostile.pg_is_in_recovery() RETURNS boolean LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO public.calls VALUES (current_user); RETURN false; END $$;
        CREATE FUNCTION hostile.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO public.calls VALUES (current_user); RETURN pg_catalog.to_regclass($1); END $$;
        CREATE FUNCTION hostile.to_regnamespace(text) RETURNS regnamespace LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO public.calls VALUES (current_user); RETURN pg_catalog.to_regnamespace($1); END $$;
        CREATE FUNCTION hostile.sha256(bytea) RETURNS bytea LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO public.calls VALUES (current_user); RETURN pg_catalog.sha256($1); END $$;
        ALTER DATABASE \(shop.database.name) SET search_path = hostile, pg_catalog, public;
        """
      )
      try await useEverything(of: shop)
      try await shop.rebuild(sums)
      try await shop.project(sums)
      #expect(try await shop.psql("SELECT count(*) FROM public.calls") == "0")
      try await shop.psql("SELECT pg_is_in_recovery()")
      #expect(try await shop.psql("SELECT count(*) FROM public.calls") == "1")
    }
  }

  /// A role may create in the schema of the read model; the statements of a file are looked up there.
  @Test func aProjectionRefusesASchemaWithAnotherRolesOperator() async throws {
    try await Shop.open(events: 20) { shop in
      let role = "intruder_\(shop.database.name)"
      try await shop.psql("CREATE ROLE \(role); GRANT CREATE ON SCHEMA public TO \(role)")
      // In its own schema, where no other role may create objects, the new generation is safe.
      try await shop.rebuild(sums)
      try await shop.psql("SET ROLE \(role);" + Self.hostileOperator)
      try await shop.append(20)
      let error = await #expect(throws: EventStoreError.self) { try await shop.project(sums) }
      #expect(error?.code == .permissionDenied)
      #expect(error?.message.contains("operator public.=(character varying,text) of role \(role)") == true)
      #expect(try await shop.psql("SELECT count(*) FROM calls") == "0")
      try await shop.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
      try await shop.project(sums)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func aFileFindsNamesOfOtherSchemasThroughItsSearchPath() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.psql(
        """
        CREATE SCHEMA lookup;
        CREATE FUNCTION lookup.doubled(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
        """
      )
      let file = sums.replacing(
        "(event.event_data->>'n')::bigint)",
        with: "doubled((event.event_data->>'n')::bigint))"
      )
      let error = await shop.failure(of: file)
      #expect(error?.message.hasPrefix("sums.sql:7:") == true)
      #expect(error?.hint?.description.contains("with their schema") == true)
      try await shop.rebuild(
        "-- @projection sums\n-- @search_path lookup\n"
          + file.split(separator: "\n").dropFirst().joined(separator: "\n")
      )
      #expect(
        try await shop.psql(
          "SELECT sum(total) = 2 * (SELECT sum((event_data->>'n')::bigint) FROM events) FROM sums"
        ) == "t"
      )
    }
  }

  /// A trigger's function runs with the path of the session.
  @Test func aTriggerThatFindsNothingIsExplained() async throws {
    try await Shop.open { shop in
      try await shop.psql(
        """
        CREATE TABLE outbox (id uuid);
        CREATE FUNCTION enqueue() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO outbox VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER enqueue AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION enqueue();
        """
      )
      let events = [NewEvent(type: "Added", data: "{}")]
      let error = await #expect(throws: EventStoreError.self) {
        try await shop.store().append(events, to: "a-1")
      }
      #expect(error?.hint?.description.contains("SET search_path") == true)
      try await shop.psql("ALTER FUNCTION enqueue() SET search_path = public")
      _ = try await shop.store().append(events, to: "a-1")
      #expect(try await shop.psql("SELECT count(*) FROM outbox") == "1")
    }
  }
}
