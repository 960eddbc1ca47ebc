internal import LibPQ

/// A read model that was built aside, which no command of annals looks after.
public struct ReadModelBuild: Sendable, Hashable {
  /// The projection's name.
  public let projection: String
  /// Events that were handled.
  public internal(set) var events: Int64 = 0
  /// The position up to which it holds history; nil where no event was in the range.
  public internal(set) var position: Int64?
  /// The checks of the file that found something.
  public internal(set) var failedChecks: [FailedCheck] = []
}

extension EventStore {
  /// Runs a projection over the events that match, into a schema that it creates: what the read model would be, or have
  /// been. Nothing is swapped, and annals keeps no record of it.
  ///
  /// Events are applied in chunks, each a transaction; what an error or a cancellation leaves behind is the operator's
  /// to drop, as it may be worth a look.
  ///
  /// - Parameters:
  ///   - definition: the bytes of a projection file.
  ///   - path: the file's name, for messages.
  ///   - query: the events; its order is not looked at. The limit ends between positions.
  ///   - schema: must not exist.
  ///   - chunkSize: events a transaction.
  ///   - progress: called after every chunk, on the store's thread.
  /// - Throws: ``EventStoreError``: `notFound` for a name that the store does not have, `invalidDefinition` for a wrong
  ///   file, `failed` when the schema exists, or for an event whose handler fails.
  public func buildReadModel(
    _ definition: [UInt8],
    path: String,
    from query: EventQuery,
    into schema: String,
    chunkSize: Int64 = 20_000,
    progress: @Sendable (_ donePositions: Int64, _ positions: Int64, _ events: Int64) -> Void = { _, _, _ in }
  ) async throws -> ReadModelBuild {
    try await perform { connection in
      try connection.requireSession()
      let file = try ProjectionFile(path: path, bytes: definition)
      try requireNames(in: query, connection)
      let source = try eventSource(connection)
      let history = try proveFinality(connection)
      let range = try finalPositions(of: query, connection)
      try beginReadModel(of: file, source, in: schema, connection)
      let filtered = try filter(source, by: query, connection)
      let apply = ProjectionCompiler(file, source: filtered).applyFunction()
      var build = ReadModelBuild(projection: file.name)
      do {
        try createFunction(apply, connection)
        if let range {
          let confinement = Confinement(file, in: schema)
          try fill(&build, from: range, by: apply, confinement, chunkSize, progress, connection)
          try history.requireUnchanged(connection)
        }
        try analyze(schema, connection)
        let what = "\(build.events) events" + (build.position.map { " up to position \($0)" } ?? "")
        try describe(schema, "projection \(file.name) over \(what) of \(table)", connection)
        build.failedChecks = try failedChecks(of: file, in: schema, connection)
        return build
      } catch {
        throw Task.isCancelled ? error : unfinished(schema, error, path: path)
      }
    }
  }

  /// Finds what would stop ``buildReadModel(_:path:from:into:chunkSize:progress:)`` before the first event.
  public func checkReadModelBuild(_ definition: [UInt8], path: String, into schema: String) async throws {
    _ = try await checkProjection(definition, path: path)
    try await perform { connection in
      try proveFinality(connection)
      try requireNew(schema, connection)
    }
  }

  private func requireNew(_ schema: String, _ connection: Connection) throws {
    let exists = "SELECT to_regnamespace($1) IS NOT NULL"
    guard try connection.query(exists, [.text(quoteIdentifier(schema))]).bool(0, 0) else { return }
    throw EventStoreError(
      .failed,
      "schema \(schema) is there already",
      detail: "A read model is built aside in a schema of its own.",
      hint: "Name another, or drop this one: \(Self.drop(schema))"
    )
  }

  private static func drop(_ schema: String) -> String { "DROP SCHEMA \(quoteIdentifier(schema)) CASCADE;" }

  /// The SQL that drops what a build left, however far it got.
  package static func dropUnfinished(_ schema: String) -> String {
    "DROP SCHEMA IF EXISTS \(quoteIdentifier(schema)) CASCADE;"
  }

  /// Makes the schema and its tables, all or nothing.
  private func beginReadModel(
    of file: ProjectionFile,
    _ source: String,
    in schema: String,
    _ connection: Connection
  ) throws {
    try requireNew(schema, connection)
    try connection.transaction {
      try connection.execute("CREATE SCHEMA \(quoteIdentifier(schema))")
      try connection.run(file.create, Confinement(file, in: schema), of: file.path)
      guard try !ReadModelObject.all(in: schema, connection).isEmpty else {
        throw EventStoreError(
          .invalidDefinition,
          "@create of projection \(file.name) makes nothing in schema \(schema)",
          hint: "Write the names of its tables without a schema."
        )
      }
      try checkStatements(of: file, source, in: schema, connection)
      try describe(schema, "projection \(file.name) over \(table), unfinished", connection)
    }
  }

  /// Tells who meets the schema later what it is.
  private func describe(_ schema: String, _ text: String, _ connection: Connection) throws {
    let comment = quoteLiteral("annals replay --into: \(text)")
    try connection.execute("COMMENT ON SCHEMA \(quoteIdentifier(schema)) IS \(comment)")
  }

  private func fill(
    _ build: inout ReadModelBuild,
    from range: ClosedRange<Int64>,
    by apply: GeneratedCode,
    _ confinement: Confinement,
    _ chunkSize: Int64,
    _ progress: (Int64, Int64, Int64) -> Void,
    _ connection: Connection
  ) throws {
    let table = try layout(connection)
    var position = range.lowerBound == .min ? nil : range.lowerBound - 1
    while position ?? .min < range.upperBound || position == nil {
      let end = try table.endOfChunk(of: chunkSize, after: position, upTo: range.upperBound, connection)
      build.events += try connection.transaction {
        // A crash leaves an unfinished schema anyway; the last commit waits for the disk.
        try connection.execute("SET LOCAL synchronous_commit = off")
        return try connection.confine(confinement, of: apply.file) {
          try apply.call(after: position, upTo: end, connection).count
        }
      }
      position = end
      let (first, last) = (range.lowerBound, range.upperBound)
      progress(first.span(to: end).saturatingAdd(1), first.span(to: last).saturatingAdd(1), build.events)
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
    failure.hint = "What was built so far is for you to look at and to drop: \(Self.drop(schema))"
    return failure
  }
}

// MARK: - The events

extension EventStore {
  /// The first and the last position of the events that match, all of them final; nil where none can be.
  private func finalPositions(
    of query: EventQuery,
    _ connection: Connection
  ) throws -> ClosedRange<Int64>? {
    var query = query
    let final = try finalPosition(connection)
    query.toPosition = min(query.toPosition ?? final, final)
    try narrowByTime(&query, following: false, connection)
    if let limit = query.limit {
      guard limit > 0 else { return nil }
      let table = try layout(connection)
      var conditions = query.conditions(in: table)
      let sql = """
        SELECT e.position FROM \(table.source) e \(conditions.clause(and: "true"))
        ORDER BY e.position OFFSET \(conditions.bind(.int8(Int64(limit) - 1))) LIMIT 1
        """
      let nth = try connection.query(sql, conditions.parameters)
      if !nth.isEmpty { query.toPosition = nth.int64(0, 0) }
    }
    let first = try connection.query("SELECT min(position) FROM \(relation) e").optionalInt64(0, 0)
    guard let first, let end = query.toPosition else { return nil }
    let start = max(first, query.fromPosition ?? first)
    return start <= end ? start...end : nil
  }

  /// A FROM item with those events of a source that match.
  private func filter(_ source: String, by query: EventQuery, _ connection: Connection) throws -> String {
    let table = try layout(connection)
    let parameters = query.conditions(in: table).parameters
    if parameters.isEmpty { return source }
    // A function takes no parameters from outside; the server itself writes the values as constants.
    let constants = parameters.indices.map { "format('%L::%s', $\($0 + 1), pg_typeof($\($0 + 1)))" }
    let row = try connection.query("SELECT \(constants.joined(separator: ", "))", parameters)
    let names = parameters.indices.map { row.string(0, $0) }
    let conditions = query.conditions(in: table, naming: names)
    return "(SELECT * FROM \(source) AS e \(conditions.clause(and: "true")))"
  }
}
