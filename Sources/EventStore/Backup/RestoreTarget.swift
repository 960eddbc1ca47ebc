internal import LibPQ

/// The table that events are restored into.
struct RestoreTarget {
  let table: EventsTable
  /// The archive, whose events are not restored; nil without one.
  let archive: ArchiveTable?
  /// The sequence that assigns positions, quoted; nil without positions.
  let sequence: String?
  /// The triggers that may change the stored events.
  let changers: [String]
  /// Whether the table itself refuses an event whose place is occupied.
  let keepsEventsApart: Bool

  /// The columns in the order of ``Swift/Array/appendRow(id:aggregateID:eventType:data:version:timestamp:metadata:position:)``.
  var columns: String {
    "id, aggregate_id, event_type, event_data, version, \"timestamp\""
      + (table.hasMetadata ? ", metadata" : "") + (table.hasPosition ? ", position" : "")
  }

  /// The temporary table that has the events of a batch.
  static let batch = "annals_restored"

  /// COPY writes the given positions, as with OVERRIDING SYSTEM VALUE (manual, COPY, "Notes").
  func copy(into name: String) -> String { "COPY \(name) (\(columns)) FROM STDIN (FORMAT binary)" }
}

extension StoreConnection {
  /// - Throws: ``EventStoreError`` if events cannot be stored with their positions.
  func restoreTarget(for header: ExportHeader) throws -> RestoreTarget {
    try requireOwn("restoring")
    let table = try eventsTable()
    if table.isDistributed {
      throw EventStoreError(
        .invalidDefinition,
        "\(self.table) is distributed by Citus, and annals cannot restore into such a table",
        hint: "Restore into a local table, then distribute it."
      )
    }
    let hasPositions = header.headPosition != nil
    if hasPositions { try table.requirePosition(for: "restoring events with their positions") }
    if !hasPositions, table.hasPosition {
      throw EventStoreError(
        .invalidInput,
        "the events of the export have no positions, and \(self.table) has a column for them",
        hint:
          "Restore them into a table without the column, then add it; or append them with new ids."
      )
    }
    let statements = try appendStatements()
    return RestoreTarget(
      table: table,
      archive: try findArchive(),
      sequence: table.hasPosition ? try sequenceToMove() : nil,
      changers: statements.changers,
      keepsEventsApart: statements.uniqueKeys.keepEventsApart
    )
  }

  private func sequenceToMove() throws -> String {
    let found = try positionFaults()
    if let sequence = found.sequence { return sequence }
    let fault = found.faults.first { [.notATable, .noSequence, .severalSequences].contains($0.kind) }
    throw EventStoreError(
      fault == nil ? .permissionDenied : .invalidDefinition,
      fault.map { "positions of \(table) cannot be restored: \($0.message)" }
        ?? "permission denied for the sequence of the positions of \(table)",
      detail: "After the restore, the sequence must continue above the restored positions.",
      hint: fault.map { Hint($0.remedy) } ?? "Run it as the owner of the table."
    )
  }
}

extension RestoreTarget {
  /// Keeps other sessions from writing to the table, to the end of the transaction; readers continue.
  func lock(_ connection: Connection) throws {
    try connection.execute("LOCK TABLE \(table.name.sql) IN SHARE ROW EXCLUSIVE MODE")
  }

  /// The highest position of the store; nil without any.
  func head(_ connection: Connection) throws -> Int64? {
    guard table.hasPosition else { return nil }
    return try connection.query("SELECT max(position) FROM \(raw: table.name.sql)").optionalInt64(0, 0)
  }

  func hasEvents(_ connection: Connection) throws -> Bool {
    let first = try connection.query("SELECT 1 FROM \(raw: table.name.sql) LIMIT 1")
    return !first.isEmpty
  }

  /// Moves the sequence above a position, never back. Nobody else must write meanwhile.
  func moveSequence(above position: Int64, _ connection: Connection) throws {
    guard let sequence else { return }
    _ = try connection.query(
      """
      SELECT setval(\(sequence)::regclass, \(position)) FROM \(raw: sequence)
      WHERE last_value < \(position) OR last_value = \(position) AND NOT is_called
      """
    )
  }

  /// Creates an empty table for the events of a batch, which is dropped with the transaction.
  func createBatch(_ connection: Connection) throws {
    try connection.execute(
      """
      CREATE TEMPORARY TABLE \(Self.batch) ON COMMIT DROP AS SELECT \(columns) FROM \(table.name.sql) WITH NO DATA;
      ALTER TABLE \(Self.batch) ADD COLUMN line bigint GENERATED ALWAYS AS IDENTITY
      """
    )
  }

  /// The first event of the batch whose place another event has.
  func collision(_ connection: Connection) throws -> Collision? {
    var places = ["e.id = n.id", "e.aggregate_id = n.aggregate_id AND e.version = n.version"]
    if table.hasPosition { places.append("e.position = n.position") }
    let parts = places.map { place in
      SQLTemplate.eventsInPlaces.filled([
        "batch": Self.batch, "events": table.name.sql, "place": place,
        "position": table.hasPosition ? "n.position" : "NULL::bigint",
        "stored_position": table.hasPosition ? "e.position" : "NULL::bigint",
        "metadata": table.hasMetadata ? "n.metadata" : "NULL::jsonb",
        "stored_metadata": table.hasMetadata ? "e.metadata" : "NULL::jsonb",
      ])
    }
    let sql = SQLTemplate.collidingEvents.filled([
      "batch": Self.batch, "places": parts.joined(separator: "UNION ALL\n"),
    ])
    return try connection.query(sql, []).first { Collision($0) }
  }

  /// The first event of the batch that is archived: restored, it would be in two places.
  func archived(_ connection: Connection) throws -> (row: Int64, event: String)? {
    guard let archive else { return nil }
    return try connection.query(
      """
      SELECT n.line, n.aggregate_id::text || ' version ' || n.version AS event FROM \(raw: Self.batch) n
      JOIN \(raw: archive.name.sql) a ON a.aggregate_id = n.aggregate_id AND a.version = n.version
      ORDER BY n.line LIMIT 1
      """
    ).first { (row: $0.int64("line"), event: $0.string("event")) }
  }

  /// The events of the batch that the store lacks.
  func missing(_ connection: Connection) throws -> (events: Int64, lowest: Int64?, line: Int64?) {
    let sql = SQLTemplate.missingEvents.filled([
      "batch": Self.batch, "events": table.name.sql,
      "position": table.hasPosition ? "n.position" : "NULL::bigint",
    ])
    let found = try connection.query(sql, [])
    return (found[0].int64("events"), found[0].optionalInt64("lowest"), found[0].optionalInt64("line"))
  }

  /// Stores the events of the batch that the store lacks.
  func insertMissing(_ connection: Connection) throws -> Int {
    let sql = SQLTemplate.restoreMissing.filled([
      "batch": Self.batch, "events": table.name.sql, "columns": columns,
    ])
    return try connection.query(sql, []).affectedRows
  }
}

/// An event of the store that has the place of an event to restore.
struct Collision {
  /// The row of the batch.
  let row: Int64
  let given: String
  let stored: String
  let storedAggregate: String?
  let storedVersion: Int32?
  let differences: String

  fileprivate init(_ found: borrowing Row) {
    row = found.int64("line")
    given =
      "\(found.string("aggregate_id")) version \(found.int32("version")), id \(found.eventID("id"))"
    storedAggregate = found.optionalString("stored_aggregate")
    storedVersion = found.optionalInt32("stored_version")
    let position = found.optionalInt64("stored_position").map { ", position \($0)" } ?? ""
    stored =
      "\(storedAggregate ?? "an event") version \(storedVersion ?? 0), "
      + "id \(found.optionalString("stored_id_text") ?? "")\(position)"
    differences = found.string("differences")
  }
}
