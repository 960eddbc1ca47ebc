internal import LibPQ

/// One build of a projection's read model, in its own schema until it goes live.
struct Generation: Sendable, Hashable {
  enum State: String {
    /// Some events are not applied yet.
    case building
    /// Complete and checked; only the swap is missing.
    case ready
    case live
    /// Was live; kept for a rollback.
    case retired
  }

  let projection: String
  let number: Int32
  let version: Int32
  let state: State
  /// The schema of its tables while it is not live.
  let ownSchema: String
  /// The schema of the live tables.
  let liveSchema: String
  /// The checkpoint: events up to here are applied.
  var position: Int64
  /// Events that were handled.
  var events: Int64
  /// Its objects: at first those that `@create` created; after the load, also those that the load created.
  var objects: [ReadModelObject]
  let definition: String
  /// The paths of the upcasters that its events go through; nil if they are not known.
  let upcasters: [String]?

  /// The schema that has its tables now.
  var schema: String { state == .live ? liveSchema : ownSchema }

  /// The file name in errors and dead letters about the generation.
  var path: String { "\(projection).sql" }
}

extension Generation {
  fileprivate static let select = """
    SELECT g.projection, g.number, g.version, g.state, g.schema_name, p.live_schema, g.position, g.events,
           array_to_string(g.objects, E'\\n') AS objects, g.definition, to_json(g.upcasters)::text AS upcasters
    FROM annals.generations AS g JOIN annals.projections AS p ON p.name = g.projection
    """

  fileprivate init(_ row: borrowing Row) {
    projection = row.string("projection")
    number = row.int32("number")
    version = row.int32("version")
    state = State(rawValue: row.string("state")) ?? .building
    ownSchema = row.string("schema_name")
    liveSchema = row.string("live_schema")
    position = row.int64("position")
    events = row.int64("events")
    objects = row.string("objects").unicodeScalars.split(separator: "\n").compactMap {
      ReadModelObject(String($0))
    }
    definition = row.string("definition")
    upcasters = StoreConnection.upcasters(row.optionalString("upcasters"), of: definition)
  }

  /// The condition that a row of `annals.generations` is that of this generation.
  var isThis: SQL { "projection = \(projection) AND number = \(number)" }

  /// Whether exactly this file made the generation.
  func isDefined(by file: Projection) -> Bool { Array(definition.utf8) == file.bytes }

  /// Records the objects of its schema, to find later what somebody dropped or added by hand.
  fileprivate mutating func recordObjects(_ connection: Connection) throws {
    objects = try present(in: ownSchema, connection)
    let names = Parameter.textArray(objects.map(\.description))
    _ = try connection.query("UPDATE annals.generations SET objects = \(names) WHERE \(isThis)")
  }

  /// The load is complete, in the transaction of the caller; a resumed build that was ready keeps its record.
  mutating func markReady(_ connection: Connection) throws {
    if state != .ready { try recordObjects(connection) }
    try mark(.ready, connection)
  }

  /// Moves the checkpoint in the transaction of the effects, and only from the value that was read.
  ///
  /// - Parameters:
  ///   - events: how many were handled.
  ///   - seen: those that were met on the way; nil if that is not known.
  mutating func advance(
    to position: Int64,
    events: Int64,
    seen: SeenEvents?,
    _ connection: Connection
  ) throws {
    try CheckpointFence.pass(
      """
      UPDATE annals.generations SET position = \(position), events = events + \(events),
        moved_at = clock_timestamp(), error = NULL,
        seen_events = seen_events + \(seen?.count), seen_hash = seen_hash + \(seen?.hash)
      WHERE \(isThis) AND position = \(self.position)
        AND (state = 'live') = \(state == .live)
      """,
      connection,
      orThrow: checkpointMoved()
    )
    self.position = position
    self.events += events
  }

  /// Applies the events up to a position, and moves the checkpoint, in the caller's transaction.
  ///
  /// - Throws: ``PoisonEvent`` for an event whose handler fails.
  mutating func run(_ handlers: EventHandlers, upTo end: Int64, _ connection: Connection) throws {
    let (events, seen) = try connection.handleEvents(
      by: handlers,
      after: position,
      upTo: end,
      except: connection.skippedPositions(of: projection, after: position, upTo: end),
      within: confinement
    )
    try advance(to: end, events: events, seen: seen, connection)
  }

  func checkpointMoved() -> EventStoreError {
    CheckpointFence.moved(
      "the checkpoint of projection \(projection)",
      from: position,
      hint: "See who works on it with \(.projections(name: projection))."
    )
  }

  func mark(_ state: State, _ connection: Connection) throws {
    _ = try connection.query("UPDATE annals.generations SET state = \(state.rawValue) WHERE \(isThis)")
  }

  /// Records why the work on it stopped, for `annals projections`; in its own transaction.
  func record(_ error: EventStoreError, _ connection: Connection) {
    let sql: SQL = """
      UPDATE annals.generations SET error = jsonb_strip_nulls(jsonb_build_object(
        'code', \(error.code.rawValue), 'message', \(error.message), 'detail', \(error.detail),
        'sqlstate', \(error.sqlState), 'at', clock_timestamp()))
      WHERE \(isThis)
      """
    connection.cleanUp { _ = try connection.query(sql) }
  }

  /// Removes the generation with everything in its schema, after the file's `@drop`.
  func drop(_ connection: Connection) throws {
    if let file = try? Projection(checking: path, Array(definition.utf8)), !file.drop.isEmpty {
      try connection.run(file.drop, confinement, of: path)
    }
    if state == .live {
      try requireOwnSchema(connection)
      try moveAway(connection)
    }
    try connection.execute("DROP SCHEMA IF EXISTS \(quoteIdentifier(ownSchema)) CASCADE")
    _ = try connection.query("DELETE FROM annals.generations WHERE \(isThis)")
  }

  /// Moves the live objects into their own schema, in the caller's transaction.
  ///
  /// - Returns: missing objects, which somebody dropped by hand.
  @discardableResult
  func moveAway(_ connection: Connection) throws -> [ReadModelObject] {
    let there = Set(try present(in: liveSchema, connection))
    // A routine is named by types, and some of these may have moved before it.
    try connection.setSearchPath([liveSchema, ownSchema])
    for object in objects where there.contains(object) {
      try connection.move(object, from: liveSchema, to: ownSchema)
    }
    return objects.filter { !there.contains($0) }
  }

  /// Moves all its objects into the live schema, in the caller's transaction.
  ///
  /// - Returns: these objects.
  func moveIn(_ connection: Connection) throws -> [ReadModelObject] {
    let objects = try present(in: ownSchema, connection)
    try connection.setSearchPath([ownSchema, liveSchema])
    for object in objects { try connection.move(object, from: ownSchema, to: liveSchema) }
    return objects
  }
}

extension StoreConnection {
  private func generations(_ condition: SQL) throws -> [Generation] {
    try connection.query(
      "\(raw: Generation.select) WHERE \(condition) ORDER BY g.number DESC",
      prepared: true
    )
    .map { Generation($0) }
  }

  /// The live generation of a projection; nil before the first.
  func liveGeneration(of projection: String) throws -> Generation? {
    try generations("g.projection = \(projection) AND g.state = 'live'").first
  }

  func requireLiveGeneration(of projection: String) throws -> Generation {
    guard let live = try liveGeneration(of: projection) else {
      throw EventStoreError(
        .notFound,
        "projection \(projection) has no live generation yet",
        hint: "Build it with \(.rebuild())."
      )
    }
    return live
  }

  /// The generations of a projection that have one of these states, newest first.
  func generations(of projection: String, in states: Generation.State...) throws -> [Generation] {
    let names = Parameter.textArray(states.map(\.rawValue))
    return try generations("g.projection = \(projection) AND g.state = ANY (\(names))")
  }

  /// A build of exactly this file that was started and neither finished nor dropped.
  func resumableGeneration(of file: Projection) throws -> Generation? {
    let hash: SQL = "sha256(\(Parameter.bytea(file.bytes)))"
    return try generations(
      """
      g.projection = \(file.name) AND g.state IN ('building', 'ready') AND g.definition_hash = \(hash)
      AND to_regnamespace(quote_ident(g.schema_name)) IS NOT NULL
      """
    ).first
  }

  /// Starts a build at the beginning of history: its row, its schema and its tables, in the transaction of the caller.
  func createGeneration(of file: Projection) throws -> Generation {
    let beginning = try eventsTable().beginning(connection)
    let bytes = Parameter.bytea(file.bytes)
    let sql: SQL = """
      INSERT INTO annals.generations (projection, number, version, definition, definition_hash, upcasters, schema_name,
        state, position, seen_events, seen_hash)
      SELECT \(file.name), next, \(Int32(file.version)), convert_from(\(bytes), 'UTF8'), sha256(\(bytes)),
        \(Parameter.textArray(upcasters.paths)), format('annals_%s_%s', \(file.name), next), 'building', \(beginning), 0, 0
      FROM (
        SELECT coalesce(max(number), 0) + 1 AS next FROM annals.generations WHERE projection = \(file.name)
      ) AS numbers
      RETURNING number
      """
    let number: Int32
    do {
      number = try connection.query(sql).int32(0, 0)
    } catch {
      throw SQLFileError(untranslatable: error, in: file.bytes, of: file.path) ?? error
    }
    var generation = try generations("g.projection = \(file.name) AND g.number = \(number)")[0]
    try connection.execute("CREATE SCHEMA \(quoteIdentifier(generation.ownSchema))")
    try connection.run(file.create, Confinement(file, in: generation.ownSchema), of: file.path, moving: true)
    try generation.recordObjects(connection)
    return generation
  }
}
