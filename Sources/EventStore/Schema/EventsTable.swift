internal import LibPQ

/// What is known about a table of events: which of the store's columns it has.
///
/// A table with only the first six columns is a *classic* one: it has no global order.
struct EventsTable: Sendable, Hashable {
  /// A column as the catalogue numbers it.
  struct ColumnOrigin: Sendable, Hashable {
    let table: UInt32
    let number: Int32
  }

  let name: QualifiedName
  let hasMetadata: Bool
  let hasPosition: Bool
  /// Whether `timestamp` is a timestamptz; without a zone its values are taken as UTC.
  let hasTimeZone: Bool
  /// Whether Citus keeps the table, in shards on its nodes: its planner accepts fewer forms of SQL than PostgreSQL's.
  let isDistributed: Bool

  /// The FROM item that reads the events as they are stored: the table, a layout's query, or the table and its archive.
  private(set) var relation: String
  /// The archive that ``relation`` reads too.
  private(set) var archive: ArchiveTable?
  /// The type of a stream's key, on which the table has an index, if a layout also gives this key; nil without one.
  private let aggregateKeyType: String?
  /// Whether a layout also gives the id as a column that is NULL in the events of one stream, and that stream's id.
  private let hasRest: Bool
  /// Whether a layout also gives the tenant of a stream, which comes before the first slash of its id.
  private let hasTenant: Bool
  /// Whether a layout gives the category of each event.
  let hasCategory: Bool
  /// The column of a table that a layout shows as `position`; nil for a computed one.
  let positionOrigin: ColumnOrigin?
  /// The version of a stream's first event.
  let firstVersion: Int
  /// Whether a stream may begin with any version; see ``Layout/mayBeginLater``.
  let mayBeginLater: Bool
  /// The FROM item that reads the events before upcasters: the relation, or what ``readable(_:)`` makes of a layout.
  private(set) var readable: String
  /// The columns of a layout's query that are read; none for a table of annals' own.
  private let layoutColumns: [String]
  /// The FROM item that reads the events: ``readable``, or what upcasters make of it.
  var source: String

  /// - Parameter types: the existing columns, with their types.
  init(
    name: QualifiedName,
    relation: String,
    types: [ByteString: String],
    positionOrigin: ColumnOrigin? = nil,
    firstVersion: Int = 1,
    mayBeginLater: Bool = false,
    isDistributed: Bool = false
  ) {
    self.isDistributed = isDistributed
    self.positionOrigin = positionOrigin
    (self.firstVersion, self.mayBeginLater) = (firstVersion, mayBeginLater)
    self.name = name
    self.relation = relation
    layoutColumns =
      relation.hasSameBytes(as: name.sql) ? [] : Self.known.filter { types[$0] != nil }.map(\.string)
    (readable, source) = (relation, relation)
    let isLayout = !layoutColumns.isEmpty
    hasTenant = isLayout && Self.isText(types[ByteString(Self.tenant)])
    hasCategory = isLayout && Self.isText(types[ByteString(Self.category)])
    hasRest = isLayout && Self.rest.allSatisfy { types[ByteString($0)] != nil }
    let keyType = types[ByteString(Self.aggregateKey)]
    aggregateKeyType = keyType == "uuid" || hasTenant && Self.isText(keyType) ? keyType : nil
    hasMetadata = types["metadata"] != nil
    hasPosition = types["position"] != nil
    hasTimeZone = types["timestamp"] == "timestamp with time zone"
    if !layoutColumns.isEmpty {
      readable = readableLayout(showing: [])
      source = readable
    }
  }

  /// The columns that a layout's query may have.
  private static let known =
    (required + optional).map(\.column) + ([aggregateKey, tenant, category] + rest).map { ByteString($0) }

  private static func isText(_ type: String?) -> Bool { type == "text" || type == "character varying" }

  /// The columns of a layout's query, with JSON's null for a missing payload: events of other frameworks may have none.
  ///
  /// - Parameter unreadable: events with placeholders for values that cannot be cast.
  private func readableLayout(showing unreadable: [UnreadableEvent]) -> String {
    func value(_ value: String, or error: KeyPath<UnreadableEvent, PostgresError?>) -> String {
      let others = unreadable.compactMap { event in
        event[keyPath: error].map {
          "WHEN \(event.isThis) THEN \(quoteLiteral(UnreadableEvent.json($0)))::jsonb"
        }
      }
      return others.isEmpty ? value : "CASE \(others.joined(separator: " ")) ELSE \(value) END"
    }
    let columns = layoutColumns.map { column in
      switch ByteString(column) {
      case "event_data": "\(value("coalesce(e.event_data, 'null')", or: \.data)) AS event_data"
      case "metadata": "\(value("e.metadata", or: \.metadata)) AS metadata"
      default: "e.\(quoteIdentifier(column))"
      }
    }
    return "(SELECT \(columns.joined(separator: ", ")) FROM \(relation) AS e)"
  }

  /// The FROM item that reads the events of a layout, with placeholders in the unreadable ones.
  func source(showing unreadable: [UnreadableEvent], through upcasters: Upcasters) -> String {
    var table = self
    table.readable = readableLayout(showing: unreadable)
    return upcasters.isEmpty ? table.readable : table.source(through: upcasters)
  }

  /// The columns of a layout besides those of events: the key of a stream, its tenant, and the category of an event.
  static let aggregateKey = "aggregate_uuid"
  private static let tenant = "aggregate_tenant"
  private static let category = "category"
  /// The id in the form of the table, and the id of the stream whose events have NULL there.
  private static let rest = ["aggregate_key", "aggregate_rest"]

  /// The columns that upcasters pass on as they are.
  var keyColumns: [String] {
    let columns = [
      (Self.aggregateKey, aggregateKeyType != nil), (Self.tenant, hasTenant), (Self.category, hasCategory),
    ]
    return columns.filter(\.1).map(\.0) + (hasRest ? Self.rest : [])
  }

  /// The condition that event `e` is of an aggregate.
  func isOf(_ aggregateID: String) -> SQL {
    if hasRest {
      // The planner compares two constants itself; the rest is a condition on the column.
      return """
        (e.aggregate_key = \(aggregateID) OR e.aggregate_rest = \(aggregateID) AND e.aggregate_key IS NULL)
        """
    }
    var conditions: [SQL] = ["e.aggregate_id = \(aggregateID)"]
    var key: String? = aggregateID
    if hasTenant {
      let scalars = aggregateID.unicodeScalars
      let slash = scalars.firstIndex(of: "/")
      key = slash.map { String(scalars[scalars.index(after: $0)...]) }
      conditions.append("e.\(raw: Self.tenant) = \(slash.map { String(scalars[..<$0]) })")
    }
    if let aggregateKeyType {
      // Only a uuid can be cast to one; a stream with another id has no events.
      let isKey = aggregateKeyType != "uuid" || key.map { EventID($0) != nil } == true
      conditions.append(
        isKey
          ? "e.\(raw: Self.aggregateKey) = \(key)::\(raw: aggregateKeyType == "uuid" ? "uuid" : "text")"
          : "e.\(raw: Self.aggregateKey) IS NULL"
      )
    }
    return conditions.conjunction
  }

  /// The version that a stream should begin with, by its lowest one, which may be 0.
  func firstVersion(ofStreamFrom lowest: String) -> String {
    mayBeginLater ? lowest : "least(\(lowest), \(firstVersion))"
  }

  /// A time in the form of the column `timestamp`.
  func stored(_ time: Timestamp) -> SQL {
    "\(Parameter.timestamptz(time.microseconds))\(raw: hasTimeZone ? "" : " AT TIME ZONE 'UTC'")"
  }

  /// The columns to select, in the order of ``Column``, each in the type that the readers decode.
  var columns: String {
    "\(position) AS position, e.aggregate_id, e.version, e.event_type, \(time) AS \"timestamp\", "
      + "e.id, e.event_data, \(metadata) AS metadata"
  }

  /// The time of the event `e` as a timestamptz.
  var time: String { hasTimeZone ? "e.\"timestamp\"" : "e.\"timestamp\" AT TIME ZONE 'UTC'" }
  /// The metadata of the event `e`.
  var metadata: String { hasMetadata ? "e.metadata" : "NULL::jsonb" }
  /// The position of the event `e`.
  var position: String { hasPosition ? "e.position" : "NULL::bigint" }

  /// The index of each column of ``columns`` in a result.
  enum Column {
    static let position = 0
    static let aggregateID = 1
    static let version = 2
    static let eventType = 3
    static let timestamp = 4
    static let id = 5
    static let data = 6
    static let metadata = 7
    /// In a page for a reader that records what it has read; see ``SeenEvents``.
    static let idHash = 8

    /// The columns that every event must have.
    static let required: [(index: Int, name: String)] = [
      (index: aggregateID, name: "aggregate id"), (version, "version"), (eventType, "type"),
      (timestamp, "timestamp"), (id, "id"), (data, "payload"),
    ]
  }

  /// Reads the catalogue; nil when there is no such table.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` when it is not a table of events.
  static func find(_ name: QualifiedName, _ connection: Connection) throws -> EventsTable? {
    let sql = SQLTemplate.eventsTable.sql
    let result = try connection.query(sql, [.text(name.schema), .text(name.name)])
    if result.isEmpty { return nil }
    var types: [ByteString: String] = [:]
    result.forEachRow { types[ByteString($0.string("name"))] = $0.string("type") }
    try check(
      types,
      of: name.description,
      hint: "Name another table with \(.table()), or describe this one with \(.columns) or \(.layout)."
    )
    let isDistributed = result[0].bool("has_citus") ? try isDistributed(name, connection) : false
    return EventsTable(name: name, relation: name.sql, types: types, isDistributed: isDistributed)
  }

  /// Whether Citus keeps a table. Its own catalogue tells, which every role may read; without Citus this is not asked.
  private static func isDistributed(_ name: QualifiedName, _ connection: Connection) throws -> Bool {
    let rows = try connection.query(
      "SELECT 1 FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass(\(name.sql))"
    )
    return !rows.isEmpty
  }

  /// The columns that make a table of events, with the types that they may have.
  private static let required: [(column: ByteString, types: Set<ByteString>)] = [
    ("id", ["uuid"]),
    ("aggregate_id", ["character varying", "text"]),
    ("event_type", ["character varying", "text"]),
    ("event_data", ["jsonb"]),
    ("version", ["integer"]),
    ("timestamp", ["timestamp with time zone", "timestamp without time zone"]),
  ]

  private static let optional: [(column: ByteString, types: Set<ByteString>)] = [
    ("metadata", ["jsonb"]),
    ("position", ["bigint"]),
  ]

  static func check(_ types: [ByteString: String], of name: String, hint: Hint) throws {
    var faults: [String] = []
    for (column, allowed) in required where types[column] == nil {
      faults.append("column \(column) (\(allowed.sorted()[0])) is missing")
    }
    for (column, allowed) in required + optional {
      guard let type = types[column], !allowed.contains(ByteString(type)) else { continue }
      faults.append(
        "column \(column) is \(type), not \(allowed.sorted().map(\.string).joined(separator: " or "))"
      )
    }
    guard faults.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "\(name) is not a table of events",
        detail: faults.joined(separator: "; "),
        hint: hint
      )
    }
  }

  /// Whether it is sure that no two events have the same values in these columns. The catalogue knows no layouts; of an
  /// archive it tells the same as of the table, and what it cannot tell is whether both have an event.
  func hasUniqueKey(_ columns: [String], _ connection: Connection) throws -> Bool {
    guard archive != nil || relation.hasSameBytes(as: name.sql) else { return false }
    let tables = [name, archive?.name].compactMap(\.self)
    let sql = SQLTemplate.hasUniqueKey.sql
    for table in tables {
      let hasKey = try connection.query(sql, [.text(table.sql), .textArray(columns)]).bool(0, 0)
      guard hasKey else { return false }
    }
    guard let archive else { return true }
    let names = columns.map(quoteIdentifier).joined(separator: ", ")
    return try connection.query(
      "SELECT NOT EXISTS (SELECT FROM \(raw: archive.name.sql) JOIN \(raw: name.sql) USING (\(raw: names)))"
    ).bool(0, 0)
  }

  static func missing(_ name: QualifiedName) -> EventStoreError {
    EventStoreError(
      .notFound,
      "there is no table \(name) in this database",
      hint: "Create it with \(.initialize), or name another with \(.table())."
    )
  }

  /// Refuses an operation that needs the order of the whole store on a classic table.
  func requirePosition(for purpose: String) throws {
    guard !hasPosition else { return }
    throw EventStoreError(
      .invalidDefinition,
      "\(purpose) needs the order of the whole store, and \(name) has no column position",
      hint: adding("position")
    )
  }

  /// How to get a column that is missing.
  func adding(_ column: String) -> Hint {
    relation.hasSameBytes(as: name.sql)
      ? "Add it with \(.addPosition) (\(.previewAddPosition) prints the SQL)."
      : "Give the SELECT of the layout a column \(column), if the store has such a thing; see \(.manual(.layoutFiles))."
  }

  /// The same table, read together with its archive.
  func including(_ archive: ArchiveTable) -> EventsTable {
    var table = self
    (table.relation, table.readable, table.source) = (archive.union, archive.union, archive.union)
    table.archive = archive
    return table
  }

  /// The same table as it reads one row: a FROM item with its columns.
  func reading(row: String) -> EventsTable {
    var table = self
    (table.readable, table.source) = (row, row)
    return table
  }

  /// Refuses to find events by their place in a stream if one has no such place.
  func requireVersions(_ connection: Connection) throws {
    for column: StaticString in ["aggregate_id", "version"] {
      try require(
        column,
        connection,
        detail: "It cannot be found by its place in a stream.",
        hint: "Fix the row, and set the column NOT NULL."
      )
    }
  }

  /// Refuses to go by positions if an event has none, since it would be left out.
  func requirePositions(_ connection: Connection) throws {
    guard hasPosition else { return }
    try require(
      "position",
      connection,
      detail: "Readers by position would skip it.",
      hint: """
        Give it a position, and the column NOT NULL; \(.verify(only: "duplicate_position")) lists all such events.
        """
    )
  }

  /// Refuses bounds in time if an event has no time.
  func requireTimes(_ connection: Connection) throws {
    try require(
      "timestamp",
      connection,
      detail: "A time limit would skip it.",
      hint: "Fix the row, and set the column NOT NULL."
    )
  }

  private func require(
    _ column: StaticString,
    _ connection: Connection,
    detail: String,
    hint: Hint
  ) throws {
    // Before PostgreSQL 17 the planner does not know that a column is never NULL: without an index it would read the
    // table. The catalogue says nothing about the columns of a layout.
    let isOwn = relation.hasSameBytes(as: name.sql)
    let mayBeNull: SQL = """
      NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = \(name.sql)::regclass AND attname = \("\(column)") AND attnotnull)
      """
    let sql: SQL = """
      SELECT aggregate_id, version FROM \(raw: relation) e
      WHERE e.\(identifier: "\(column)") IS NULL AND \(isOwn ? mayBeNull : "true") LIMIT 1
      """
    let without = try connection.query(sql, prepared: true)
    if without.isEmpty { return }
    let aggregate = without[0].optionalString("aggregate_id").map { " of \($0)" } ?? ""
    let version = without[0].optionalInt32("version").map { ", version \($0)," } ?? ""
    throw EventStoreError(
      .failed,
      "an event\(aggregate)\(version) has no \(column)",
      detail: detail,
      hint: hint
    )
  }
}
