internal import LibPQ

/// A read model that was built in its own schema, and that annals does not manage.
public struct ReadModelBuild: Sendable, Hashable {
  /// The projection's name.
  public let projection: String
  /// Events that were handled.
  public internal(set) var events: Int64 = 0
  /// The position up to which it holds history; nil if the range had no event.
  public internal(set) var position: Int64?
  /// The checks of the file that found something.
  public internal(set) var failedChecks: [FailedCheck] = []
}

extension StoreConnection {
  func buildReadModel(
    _ projection: Projection,
    from query: EventQuery,
    into schema: String,
    chunkSize: Int64,
    progress: @Sendable (EventStore.Progress) -> Void
  ) throws -> ReadModelBuild {
    try connection.requireSession()
    let file = projection
    try requireNames(in: query)
    let source = try eventSource()
    let history = try proveFinality(goesOn: false)
    let range = try finalPositions(of: query)
    try beginReadModel(of: file, source, in: schema)
    let filtered = try filter(source, by: query)
    let handlers = EventHandlers(file, source: filtered)
    var build = ReadModelBuild(projection: file.name)
    do {
      try createFunction(handlers.apply)
      if let range {
        let confinement = Confinement(file, in: schema)
        try fill(&build, from: range, by: handlers, confinement, chunkSize, progress)
        try history.requireUnchanged(connection)
      }
      try analyze(schema)
      let what = counted(build.events, "event") + (build.position.map { " up to position \($0)" } ?? "")
      try describe(schema, "projection \(file.name) over \(what) of \(table)")
      build.failedChecks = try failedChecks(of: file, in: schema)
      return build
    } catch {
      throw Task.isCancelled ? error : unfinished(schema, error, path: projection.path)
    }
  }

  func requireNew(_ schema: String) throws {
    guard try connection.schemaExists(schema) else { return }
    throw EventStoreError(
      .failed,
      "schema \(schema) exists already",
      detail: "The read model is built in a schema of its own.",
      hint: "Name another, or drop this one: \(Self.drop(schema))"
    )
  }

  private static func drop(_ schema: String) -> String { "DROP SCHEMA \(quoteIdentifier(schema)) CASCADE;" }

  /// Creates the schema and its tables, all or nothing.
  private func beginReadModel(of file: Projection, _ source: String, in schema: String) throws {
    try requireNew(schema)
    try connection.transaction {
      try connection.execute("CREATE SCHEMA \(quoteIdentifier(schema))")
      try connection.run(file.create, Confinement(file, in: schema), of: file.path)
      guard try !connection.objects(in: schema).isEmpty else {
        throw EventStoreError(
          .invalidDefinition,
          "@create of projection \(file.name) creates nothing in schema \(schema)",
          hint: "Write the names of its tables without a schema."
        )
      }
      try checkStatements(of: file, source, in: schema)
      try describe(schema, "projection \(file.name) over \(table), unfinished")
    }
  }

  /// Describes the schema for those who find it later.
  private func describe(_ schema: String, _ text: String) throws {
    let comment = quoteLiteral("annals, read model aside: \(text)")
    try connection.execute("COMMENT ON SCHEMA \(quoteIdentifier(schema)) IS \(comment)")
  }

  private func fill(
    _ build: inout ReadModelBuild,
    from range: ClosedRange<Int64>,
    by handlers: EventHandlers,
    _ confinement: Confinement,
    _ chunkSize: Int64,
    _ progress: (EventStore.Progress) -> Void
  ) throws {
    let table = try eventsTable()
    let obeysSkips = try hasSkippedEvents()
    var position = range.lowerBound == .min ? nil : range.lowerBound - 1
    while position ?? .min < range.upperBound || position == nil {
      let end = try table.endOfChunk(of: chunkSize, after: position, upTo: range.upperBound, connection)
      do {
        build.events += try connection.transaction {
          // After a crash the schema is unfinished anyway; the last commit waits for the disk.
          try connection.execute("SET LOCAL synchronous_commit = off")
          let first = position?.saturatingAdd(1) ?? .min
          return try connection.handleEvents(
            by: handlers,
            after: position,
            upTo: end,
            except: obeysSkips ? skippedPositions(from: first, upTo: end) : [],
            within: confinement
          ).events
        }
      } catch {
        throw try unreadableEvent(behind: error, after: position, upTo: end) ?? error
      }
      position = end
      let (first, last) = (range.lowerBound, range.upperBound)
      let (done, total) = (first.span(to: end).saturatingAdd(1), first.span(to: last).saturatingAdd(1))
      progress(EventStore.Progress(done: done, of: total, events: build.events))
    }
    build.position = range.upperBound
  }

  private func unfinished(_ schema: String, _ error: any Error, path: String) -> any Error {
    var failure: EventStoreError
    switch error {
    case let poison as PoisonEvent: failure = EventStoreError(poison, file: path)
    case let error as SQLFileError: failure = EventStoreError(error)
    case let error as PostgresError: failure = EventStoreError(error)
    default: return error
    }
    failure.hint = "Inspect what was built so far, then drop it: \(Self.drop(schema))"
    return failure
  }
}

// MARK: - The events

extension StoreConnection {
  /// The first and the last position of the events that match, all of them final; nil if there can be none.
  private func finalPositions(of query: EventQuery) throws -> ClosedRange<Int64>? {
    var query = query
    let final = try finalPosition(goesOn: false)
    try requireComplete(for: query)
    query.toPosition = min(query.toPosition ?? final, final)
    try narrowIfShorter(&query, following: false)
    if let limit = query.limit {
      guard limit > 0 else { return nil }
      let table = try eventsTable()
      let sql: SQL = """
        SELECT e.position FROM \(raw: table.source) e WHERE \(query.conditions(in: table).conjunction)
        ORDER BY e.position OFFSET \(Int64(limit) - 1) LIMIT 1
        """
      let nth = try connection.query(sql).first { $0.int64("position") }
      query.toPosition = nth ?? query.toPosition
    }
    let first = try connection.query("SELECT min(position) FROM \(raw: relation) e").optionalInt64(0, 0)
    guard let first, let end = query.toPosition else { return nil }
    let start = max(first, query.fromPosition ?? first)
    return start <= end ? start...end : nil
  }

  /// A FROM item with the events of a source that match.
  private func filter(_ source: String, by query: EventQuery) throws -> String {
    let table = try eventsTable()
    let conditions = query.conditions(in: table)
    if conditions.isEmpty { return source }
    let condition = conditions.conjunction
    // A function takes no parameters from outside; the server itself writes the values as constants.
    let constants = condition.parameters.map { "format('%L::%s', \($0), pg_typeof(\($0)))" as SQL }
    let names = try connection.strings("SELECT unnest(ARRAY[\(constants.joined(separator: ", "))]::text[])")
    return "(SELECT * FROM \(source) AS e WHERE \(condition.text(naming: names)))"
  }
}
