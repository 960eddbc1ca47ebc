import EventStore
import TestSupport

/// Runs the body with an initialized store in a database of its own, after SQL that fills it.
func withStore(
  _ sql: String = "",
  replicated: Bool = false,
  _ body: (TestDatabase, EventStore) async throws -> Void
) async throws {
  try await TestCluster.withDatabase(isInitialized: true, replicated: replicated) { database in
    let store = try EventStore(connecting: database.conninfo)
    if !sql.isEmpty { try await database.psql(sql) }
    try await body(database, store)
  }
}

extension TestDatabase {
  /// How many events the server reads for a store, which it counts when the session ends.
  func eventsRead(_ body: (EventStore) async throws -> Void) async throws -> Int {
    let count =
      "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relid = 'events'::regclass"
    try await awaitEnd(of: "psql")
    let before = Int(try await psql(count)) ?? 0
    let application = "counted_\(name)"
    try await body(EventStore(connecting: conninfo + " application_name=\(application)"))
    try await awaitEnd(of: application)
    return (Int(try await psql(count)) ?? .max) - before
  }
}
