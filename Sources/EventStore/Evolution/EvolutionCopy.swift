internal import LibPQ

/// A copy of an events table that upcasters are applied to, beside the original.
struct EvolutionCopy: Sendable {
  enum State: String {
    /// Events are still to be copied.
    case copying
    /// Complete up to its checkpoint, and compared with the original.
    case copied
    /// It has the name of the original, which is kept under the name of the copy.
    case swapped
  }

  let name: QualifiedName
  let identity: String
  var state: State
  /// The checkpoint: events up to here are in the copy.
  var position: Int64
  /// Events in the copy.
  var events: Int64
  let swappedPosition: Int64?

  /// Whether just this plan was applied, and the copy swapped in.
  func isSwapped(by plan: EvolutionPlan) -> Bool { state == .swapped && identity == plan.identity }

  /// The copy of that name; nil when there is none on record.
  static func find(_ name: QualifiedName, _ connection: Connection) throws -> EvolutionCopy? {
    let sql = """
      SELECT identity, state, position, events, swapped_position FROM annals.evolutions WHERE copy = $1
      """
    let row = try connection.query(sql, [.text(name.description)])
    if row.isEmpty { return nil }
    return EvolutionCopy(
      name: name,
      identity: row.string(0, 0),
      state: State(rawValue: row.string(0, 1)) ?? .copying,
      position: row.int64(0, 2),
      events: row.int64(0, 3),
      swappedPosition: row.optionalInt64(0, 4)
    )
  }

  /// Begins a copy: its row and its table, in the transaction of the caller.
  ///
  /// - Parameter beginning: what stands before the first event.
  static func create(
    _ name: QualifiedName,
    of plan: EvolutionPlan,
    at beginning: Int64,
    _ connection: Connection
  ) throws -> EvolutionCopy {
    let sql = """
      INSERT INTO annals.evolutions (copy, store, identity, plan, state, position) VALUES ($1, $2, $3, $4, 'copying', $5)
      """
    _ = try connection.query(
      sql,
      [
        .text(name.description), .text(plan.store), .text(plan.identity), .jsonb(Array(try plan.json.utf8)),
        .int8(beginning),
      ]
    )
    return EvolutionCopy(
      name: name,
      identity: plan.identity,
      state: .copying,
      position: beginning,
      events: 0,
      swappedPosition: nil
    )
  }

  /// Moves the checkpoint in the transaction of the copying, and only from the value that was read.
  mutating func advance(to position: Int64, events: Int64, _ connection: Connection) throws {
    try CheckpointFence.pass(
      """
      UPDATE annals.evolutions SET position = \(position), events = events + \(events), state = 'copying',
        moved_at = clock_timestamp()
      WHERE copy = \(name.description) AND position = \(self.position)
      """,
      connection,
      orThrow: CheckpointFence.moved(
        "the checkpoint of the copy \(name)",
        from: self.position,
        hint: "Run the command again when the other has ended."
      )
    )
    self.position = position
    self.events += events
    state = .copying
  }

  mutating func mark(_ state: State, at swappedPosition: Int64? = nil, _ connection: Connection) throws {
    let sql = """
      UPDATE annals.evolutions SET state = $2, swapped_position = $3,
        swapped_at = CASE WHEN $2 = 'swapped' THEN clock_timestamp() END
      WHERE copy = $1
      """
    _ = try connection.query(
      sql,
      [.text(name.description), .text(state.rawValue), .int8(swappedPosition)]
    )
    self.state = state
  }
}

/// The statements that copy events through upcasters.
struct EvolutionCopyStatements {
  private let upcasters: Upcasters
  private let table: EventsTable
  private let copy: QualifiedName
  /// Columns of the table beyond those of the store.
  private let extraColumns: [String]

  init(_ upcasters: Upcasters, from table: EventsTable, into copy: QualifiedName, _ connection: Connection)
    throws
  {
    (self.upcasters, self.table, self.copy) = (upcasters, table, copy)
    let sql = """
      SELECT attname::text FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        AND attname <> ALL (ARRAY['id','aggregate_id','event_type','event_data','version','timestamp','metadata','position'])
      ORDER BY attnum
      """
    let names = try connection.query(sql, [.text(table.name.sql)])
    extraColumns = (0..<names.rowCount).map { names.string($0, 0) }
  }

  /// Makes the table: columns, defaults, constraints and indexes are those of the original.
  var create: String { "CREATE TABLE \(copy.sql) (LIKE \(table.name.sql) INCLUDING ALL)" }

  private var renumbersVersions: Bool { upcasters.drops || upcasters.splits }

  private var columns: [String] {
    ["id", "aggregate_id", "event_type", "event_data", "version", "\"timestamp\""]
      + (table.hasMetadata ? ["metadata"] : []) + ["position"] + extraColumns.map(quoteIdentifier)
  }

  /// The events through the upcasters, with the columns that the table has beyond those of a store.
  var source: String {
    UpcastSource(upcasters, of: table, passing: extraColumns.map { ($0, quoteIdentifier($0)) }).sql
  }

  /// Copies the events with $1 < position <= $2.
  var copyChunk: String {
    let into = "INSERT INTO \(copy.sql) (\(columns.joined(separator: ", "))) OVERRIDING SYSTEM VALUE"
    let range = "e.position > $1 AND e.position <= $2"
    guard renumbersVersions else {
      return """
        \(into)
        SELECT \(columns.map { "e.\($0)" }.joined(separator: ", "))
        FROM \(source) AS e WHERE \(range) ORDER BY e.position
        """
    }
    let part = upcasters.splits ? ", e.\(UpcastSource.part)" : ""
    let values = columns.map { column in
      switch column {
      case "version": "(h.version + e.annals_nth)::integer"
      case "position" where upcasters.splits:
        "(SELECT coalesce(max(position), 0) FROM \(copy.sql)) + row_number() OVER (ORDER BY e.position\(part))"
      default: "e.\(column)"
      }
    }
    return """
      WITH chunk AS MATERIALIZED (
        SELECT e.*, row_number() OVER (PARTITION BY e.aggregate_id ORDER BY e.version\(part)) AS annals_nth
        FROM \(source) AS e WHERE \(range)
      ), heads AS (
        -- A stream goes on behind what the copy has of it, and begins with the version that it always began with.
        SELECT s.aggregate_id, coalesce(
          (SELECT max(c.version) FROM \(copy.sql) AS c WHERE c.aggregate_id = s.aggregate_id),
          (SELECT min(o.version) - 1 FROM \(table.name.sql) AS o WHERE o.aggregate_id = s.aggregate_id)) AS version
        FROM (SELECT DISTINCT aggregate_id FROM chunk) AS s
      )
      \(into)
      SELECT \(values.joined(separator: ", "))
      FROM chunk AS e JOIN heads AS h ON h.aggregate_id = e.aggregate_id ORDER BY e.position\(part)
      """
  }

  /// Events by type with a fingerprint of them, up to position $1 of the original: what the copy should be.
  var expected: String { fingerprint(of: source, where: "e.position <= $1") }

  /// The same of the copy.
  var actual: String { fingerprint(of: copy.sql, where: "true") }

  /// A sum of hashes does not depend on order, and tells an event that is there twice from one that is not there.
  private func fingerprint(of source: String, where condition: String) -> String {
    let compared = columns.prefix(table.hasMetadata ? 8 : 7).filter { column in
      !(column == "version" && renumbersVersions || column == "position" && upcasters.splits)
    }
    return """
      SELECT e.event_type, count(*), sum(hash_record_extended(ROW(\(compared.map { "e.\($0)" }.joined(separator: ", "))), 0)::numeric)::text
      FROM \(source) AS e WHERE \(condition) GROUP BY e.event_type ORDER BY e.event_type COLLATE "C"
      """
  }

  /// How many streams there are, and in how many of them a version is missing or doubled.
  func streams(of source: String, where condition: String) -> String {
    """
    SELECT count(*), count(*) FILTER (WHERE events <> last - first + 1)
    FROM (SELECT e.aggregate_id, count(*) AS events, min(e.version) AS first, max(e.version) AS last
          FROM \(source) AS e WHERE \(condition) GROUP BY e.aggregate_id) AS streams
    """
  }
}
