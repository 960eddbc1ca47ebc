internal import LibPQ

/// A copy of an events table that upcasters are applied to, beside the original.
struct EvolutionCopy: Sendable {
  enum State: String {
    /// Some events are not copied yet.
    case copying
    /// Complete up to its checkpoint, and compared with the original.
    case copied
    /// It has the name of the original, and the original has the name of the copy.
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

  /// Whether this plan was applied and the copy swapped in.
  func isSwapped(by plan: EvolutionPlan) -> Bool { state == .swapped && identity == plan.identity }

  /// The copy of that name; nil if there is no record of one.
  static func find(_ name: QualifiedName, _ connection: Connection) throws -> EvolutionCopy? {
    let sql: SQL = """
      SELECT identity, state, position, events, swapped_position
      FROM annals.evolutions WHERE copy = \(name.description)
      """
    return try connection.query(sql).first { row in
      EvolutionCopy(
        name: name,
        identity: row.string("identity"),
        state: State(rawValue: row.string("state")) ?? .copying,
        position: row.int64("position"),
        events: row.int64("events"),
        swappedPosition: row.optionalInt64("swapped_position")
      )
    }
  }

  /// Starts a copy: its row and its table, in the transaction of the caller.
  ///
  /// - Parameter beginning: the position before the first event.
  static func create(
    _ name: QualifiedName,
    of plan: EvolutionPlan,
    at beginning: Int64,
    _ connection: Connection
  ) throws -> EvolutionCopy {
    let json = Parameter.jsonb(Array(try plan.json.utf8))
    // Without the payloads of the examples, which a redaction of their events would have to find here too.
    _ = try connection.query(
      """
      INSERT INTO annals.evolutions (copy, store, identity, plan, state, position)
      SELECT \(name.description), \(plan.store), \(plan.identity), jsonb_set(p.plan, ARRAY['examples'], (
          SELECT coalesce(jsonb_agg(e.value - 'before' - 'after' ORDER BY e.place), '[]')
          FROM jsonb_array_elements(p.plan -> 'examples') WITH ORDINALITY AS e (value, place))),
        'copying', \(beginning)
      FROM (SELECT \(json)) AS p (plan)
      """
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
        hint: "Run the command again after the other has ended."
      )
    )
    self.position = position
    self.events += events
    state = .copying
  }

  mutating func mark(_ state: State, at swappedPosition: Int64? = nil, _ connection: Connection) throws {
    _ = try connection.query(
      """
      UPDATE annals.evolutions SET state = \(state.rawValue), swapped_position = \(swappedPosition),
        swapped_at = CASE WHEN \(state == .swapped) THEN clock_timestamp() END
      WHERE copy = \(name.description)
      """
    )
    self.state = state
  }
}

/// The statements that copy events through upcasters.
struct EvolutionCopyStatements {
  private let upcasters: Upcasters
  private let table: EventsTable
  private let copy: QualifiedName
  /// Columns that the table has in addition to those of a store.
  private let extraColumns: [String]

  init(_ upcasters: Upcasters, from table: EventsTable, into copy: QualifiedName, _ connection: Connection)
    throws
  {
    (self.upcasters, self.table, self.copy) = (upcasters, table, copy)
    let sql: SQL = """
      SELECT attname::text AS name FROM pg_attribute
      WHERE attrelid = \(table.name.sql)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        AND attname <> ALL (ARRAY['id','aggregate_id','event_type','event_data','version','timestamp','metadata','position'])
      ORDER BY attnum
      """
    extraColumns = try connection.query(sql).map { $0.string("name") }
    let parts = try Partitions(of: table.name, connection)
    let partitions = try parts?.creation(of: copy) ?? ""
    create = "CREATE TABLE \(copy.sql) (LIKE \(table.name.sql) INCLUDING ALL)\(partitions)"
  }

  /// Creates the table with the columns, defaults, constraints, indexes and partitions of the original.
  let create: String

  private var renumbersVersions: Bool { upcasters.drops || upcasters.splits }

  private var columns: [String] {
    ["id", "aggregate_id", "event_type", "event_data", "version", "\"timestamp\""]
      + (table.hasMetadata ? ["metadata"] : []) + ["position"] + extraColumns.map(quoteIdentifier)
  }

  /// The events through the upcasters, with the additional columns of the table.
  var source: String {
    UpcastSource(upcasters.rules, of: table, passing: extraColumns.map { ($0, quoteIdentifier($0)) }).sql
  }

  /// Copies the events with $1 < position <= $2; it is text because it is also shown.
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

  /// Events by type with a fingerprint of them, up to a position of the original: what the copy should contain.
  func expected(upTo position: Int64) -> SQL { fingerprint(of: source, where: "e.position <= \(position)") }

  /// The same for the copy.
  var actual: SQL { fingerprint(of: copy.sql, where: "true") }

  /// A sum of hashes does not depend on order, and differs when an event is missing or there twice.
  private func fingerprint(of source: String, where condition: SQL) -> SQL {
    let compared = columns.prefix(table.hasMetadata ? 8 : 7).filter { column in
      !(column == "version" && renumbersVersions || column == "position" && upcasters.splits)
    }
    let values = compared.map { "e.\($0)" }.joined(separator: ", ")
    return """
      SELECT e.event_type, count(*) AS events, sum(hash_record_extended(ROW(\(raw: values)), 0)::numeric)::text AS hash
      FROM \(raw: source) AS e WHERE \(condition) GROUP BY e.event_type ORDER BY e.event_type COLLATE "C"
      """
  }

  /// How many streams there are, and how many of them have a missing or doubled version.
  func streams(of source: String, where condition: SQL) -> SQL {
    """
    SELECT count(*) AS streams, count(*) FILTER (WHERE events <> last - first + 1) AS incomplete
    FROM (SELECT e.aggregate_id, count(*) AS events, min(e.version) AS first, max(e.version) AS last
          FROM \(raw: source) AS e WHERE \(condition) GROUP BY e.aggregate_id) AS streams
    """
  }
}
