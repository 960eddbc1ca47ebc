internal import LibPQ

/// The statements of the append path, written for one table.
struct AppendStatements: Sendable {
  let table: EventsTable
  let appendEvents: String
  let findHeads: String
  let findEvents: String
  let findPositions: String
  let copyEvents: String
  /// The triggers and rules that may drop events or change them.
  let changers: [String]
  /// What the table's unique indexes guarantee.
  let uniqueKeys: UniqueKeys

  /// Whether an append needs a transaction of several statements.
  var needsTransaction: Bool { !changers.isEmpty || !uniqueKeys.keepEventsApart }

  /// - Parameter archive: where a stream may be that continues.
  init(
    _ table: EventsTable,
    archive: ArchiveTable?,
    _ connection: Connection
  ) throws(PostgresError) {
    self.table = table
    changers = try Self.changers(of: table, connection)
    uniqueKeys = try UniqueKeys(of: table.name, connection)
    let columns = Self.columns(of: table)
    appendEvents = SQLTemplate.appendEvents.filled(
      ["archived": Self.head(in: archive, of: "$1")],
      from: columns
    )
    findHeads =
      table.isDistributed
      ? SQLTemplate.findGroupedHeads.filled([:], from: columns)
      : SQLTemplate.findHeads.filled(["archived": Self.head(in: archive, of: "n.id")], from: columns)
    findEvents = SQLTemplate.findEvents.filled(
      ["same_aggregate": uniqueKeys.isIDOfAggregate ? " AND e.aggregate_id = n.aggregate_id" : ""],
      from: columns
    )
    findPositions = SQLTemplate.findPositions.filled([:], from: columns)
    let metadata = table.hasMetadata ? ", metadata" : ""
    copyEvents = """
      COPY \(table.name.sql) (id, aggregate_id, event_type, event_data, version, "timestamp"\(metadata)) \
      FROM STDIN (FORMAT binary)
      """
  }

  /// A stream continues after the versions that were archived.
  private static func head(in archive: ArchiveTable?, of name: String) -> String {
    guard let archive else { return "" }
    return """
      ,
          (SELECT a.version FROM \(archive.name.sql) AS a WHERE a.aggregate_id = \(name) ORDER BY a.version DESC LIMIT 1)
      """
  }

  private static func columns(of table: EventsTable) -> [String: String] {  // ASCII
    [
      "events": table.name.sql,
      "metadata_column": table.hasMetadata ? ", metadata" : "",
      "metadata_value": table.hasMetadata ? ", n.metadata" : "",
      "stored_metadata": table.hasMetadata ? "e.metadata" : "NULL::jsonb",
      "position": table.hasPosition ? "position" : "NULL::bigint",
    ]
  }
}

/// An event that is in the store already, found by its id.
struct StoredEvent {
  /// Index of the event in the given chunk.
  let index: Int
  let aggregateID: String
  let version: Int
  let position: Int64?
  let eventType: String
  let timestamp: Timestamp
  /// The columns in which it differs from the given event; empty for the same event.
  let differences: String
}

extension AppendStatements {
  /// The events of a chunk that are stored already. On 23505 this must be a new statement, with a new snapshot.
  func storedEvents(
    _ chunk: EventChunk,
    _ indexes: some RandomAccessCollection<Int>,
    _ connection: Connection
  ) throws -> [StoredEvent] {
    let result = try connection.query(
      findEvents,
      [
        chunk.ids(indexes), chunk.aggregateIDs(indexes), chunk.eventTypes(indexes), chunk.payloads(indexes),
        chunk.timestamps(indexes), chunk.metadata(indexes),
      ]
    )
    let indexes = Array(indexes)
    // Read by number: a second run of an input finds all of its events this way.
    return try (0..<result.rowCount).map { row in
      let index = indexes[Int(result.int64(row, 0)) - 1]
      for (column, name) in [(1, "aggregate id"), (2, "version"), (4, "type"), (5, "timestamp")]
      where result.isNull(row, column) {
        throw EventStoreError.incomplete("the event \(chunk.entries[index].id)", without: name)
      }
      return StoredEvent(
        index: index,
        aggregateID: result.string(row, 1),
        version: Int(result.int32(row, 2)),
        position: result.optionalInt64(row, 3),
        eventType: result.string(row, 4),
        timestamp: Timestamp(microseconds: result.int64(row, 5)),
        differences: result.string(row, 6)
      )
    }
  }
}

/// What a unique violation (23505) on the events table means.
enum UniqueViolation {
  /// An event of this id is stored, or another writer took the version first; looking up the id tells which.
  case eventOrVersion
  /// The operator's own constraint: trying again does not help.
  case other

  /// Decides by the columns of the violated index, whatever its name and its partition are.
  ///
  /// The index of a shard (Citus) is not in this server's catalogue, and counts as one of ours.
  init(_ error: PostgresError, _ connection: Connection) throws(PostgresError) {
    guard let schema = error.schema, let index = error.constraint else {
      self = .eventOrVersion
      return
    }
    let result = try connection.query(SQLTemplate.uniqueColumns.sql, [.text(schema), .text(index)])
    let names = result.isEmpty ? "id" : result.string(0, 0)
    let columns = Set(names.unicodeScalars.split(separator: ",").map { ByteString(String($0)) })
    // A partitioned table adds its partition key.
    let isOurs = columns.isSuperset(of: ["id"]) || columns.isSuperset(of: ["aggregate_id", "version"])
    self = isOurs ? .eventOrVersion : .other
  }
}
