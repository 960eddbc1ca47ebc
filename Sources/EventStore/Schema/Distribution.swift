internal import LibPQ

/// A table of events that Citus distributes by the hash of the aggregate's id, so that a stream is on one node.
///
/// Each unique key of such a table contains its distribution column (Citus documentation, "Determining Distribution
/// Strategy"): a version is unique in its stream, as usual, but an id is unique only in its stream.
extension StoreConnection {
  /// The SQL that creates the table in a form that Citus can distribute.
  var createForCitus: String {
    SQLTemplate.createEvents.filled([
      "events": table.sql,
      "id_key": """
      -- Each key contains the distribution column: an id is there once in its stream.
        PRIMARY KEY (id, aggregate_id)
      """,
      "partitioning": "",
      "position_key": "CREATE INDEX ON \(table.sql) (position)",
    ])
  }

  /// The SQL that distributes it.
  var distribution: String {
    "SELECT create_distributed_table(\(quoteLiteral(table.sql)), 'aggregate_id');\n"
  }

  /// Refuses options that do not fit a distributed table, before any change. The SQL can be shown without Citus.
  func requireDistributable(partitions: Int?, dryRun: Bool) throws {
    try requireOwn("distributing")
    if partitions != nil {
      throw EventStoreError(
        .invalidInput,
        "a table that Citus distributes has no partitions of its own: its shards are those of Citus"
      )
    }
    if dryRun { return }
    let extensions = try connection.query("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
    guard extensions.isEmpty else { return }
    throw EventStoreError(
      .invalidDefinition,
      "extension citus is not installed in this database",
      detail: "Citus distributes tables; every node needs its library in shared_preload_libraries.",
      hint:
        "CREATE EXTENSION citus; on the coordinator and the workers, then add the workers with citus_add_node()."
    )
  }

  /// Refuses an existing table that Citus does not distribute.
  func requireDistributed(_ existing: EventsTable) throws {
    if existing.isDistributed { return }
    throw EventStoreError(
      .invalidDefinition,
      "\(table) exists already, and Citus does not distribute it",
      detail:
        "Its unique keys do not all contain aggregate_id, and annals does not change a table with events.",
      hint: "Create another table with \(.table()), and copy the events into it."
    )
  }
}
