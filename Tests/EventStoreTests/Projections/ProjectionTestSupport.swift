import EventStore
import LibPQ
import TestSupport

/// A database with the store's tables, and what the tests of projections do with it.
struct Shop {
  let database: TestDatabase

  static func open<R>(events: Int = 0, _ body: (Shop) async throws -> R) async throws -> R {
    try await TestCluster.withDatabase { database in
      let shop = Shop(database: database)
      _ = try await shop.store().initialize()
      if events > 0 { try await shop.append(events) }
      return try await body(shop)
    }
  }

  func store() throws -> EventStore { try EventStore(connecting: database.conninfo) }

  /// Appends `count` events of type `Added`, of ten aggregates, behind those that are there.
  func append(_ count: Int) async throws {
    try await psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version)
      SELECT 'a-' || n % 10, 'Added', jsonb_build_object('n', n), n / 10 + 1
      FROM (SELECT coalesce(max(position), 0) AS last FROM events) AS head,
           generate_series(head.last, head.last + \(count) - 1) AS n
      """
    )
  }

  @discardableResult
  func psql(_ sql: String) async throws -> String { try await database.psql(sql) }

  @discardableResult
  func rebuild(
    _ file: String,
    _ change: (inout RebuildOptions) -> Void = { _ in },
    progress: @escaping @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> RebuildResult {
    var options = RebuildOptions()
    change(&options)
    return try await store().rebuildProjection(
      try Projection(path: "sums.sql", bytes: Array(file.utf8)),
      options: options,
      progress: progress
    )
  }

  /// Rebuilds several files, `0.sql`, `1.sql` and so on, together.
  func rebuild(
    _ files: [String],
    _ change: (inout RebuildOptions) -> Void = { _ in }
  ) async throws -> [Result<RebuildResult, EventStoreError>] {
    var options = RebuildOptions()
    change(&options)
    let projections = try files.enumerated().map { try Projection(path: "\($0).sql", bytes: Array($1.utf8)) }
    return try await store().rebuildProjections(projections, options: options)
  }

  /// Catches up once, without waiting between the tries of a failed event unless told otherwise.
  @discardableResult
  func project(
    _ file: String,
    _ change: (inout CatchUpOptions) -> Void = { _ in }
  ) async throws -> CatchUpResult {
    var options = CatchUpOptions()
    options.once = true
    options.retryDelay = .zero
    change(&options)
    return try await store().project(
      try Projection(path: "sums.sql", bytes: Array(file.utf8)),
      options: options
    )
  }

  /// The error of a rebuild that must fail.
  func failure(of file: String, _ change: (inout RebuildOptions) -> Void = { _ in }) async -> EventStoreError?
  {
    do {
      try await rebuild(file, change)
      return nil
    } catch {
      return error as? EventStoreError
    }
  }

  /// The read model as one text; the events say what it must be.
  func sums() async throws -> String { try await psql("SELECT id, events, total FROM sums ORDER BY id") }
  func expectedSums() async throws -> String {
    try await psql(
      """
      SELECT aggregate_id, count(*), sum((event_data->>'n')::bigint) FROM events GROUP BY aggregate_id ORDER BY aggregate_id COLLATE "default"
      """
    )
  }
}

/// Stops the handlers of ``gated`` behind position 10 until it is opened or goes away.
final class Gate {
  private let connection: Connection

  init(_ shop: Shop) throws {
    connection = try Connection(
      ConnectionParameters(database: shop.database.conninfo),
      canceller: Canceller()
    )
    try connection.execute("SET application_name = 'gate'; SELECT pg_advisory_lock(42)")
  }

  func open() throws { try connection.execute("SELECT pg_advisory_unlock(42)") }
}

let gated = sums + "SELECT pg_advisory_xact_lock_shared(42) WHERE event.position > 10;\n"

/// Counts and adds up the events of each aggregate.
let sums = """
  -- @projection sums
  -- @parallel aggregate
  -- @create
  CREATE TABLE sums (id text PRIMARY KEY, events bigint NOT NULL, total bigint NOT NULL);
  CREATE INDEX sums_total ON sums (total);
  -- @on Added
  INSERT INTO sums VALUES (event.aggregate_id, 1, (event.event_data->>'n')::bigint)
  ON CONFLICT (id) DO UPDATE SET events = sums.events + 1, total = sums.total + excluded.total;

  """
