import EventStore
import TestSupport

/// Runs the body with an initialized store in a database of its own, after SQL that fills it.
func withStore(
  _ sql: String = "",
  _ body: (TestDatabase, EventStore) async throws -> Void
) async throws {
  try await TestCluster.withDatabase { database in
    let store = try EventStore(connecting: database.conninfo)
    _ = try await store.initialize()
    if !sql.isEmpty { try await database.psql(sql) }
    try await body(database, store)
  }
}
