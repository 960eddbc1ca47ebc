internal import LibPQ

/// How far a rebuild is.
public struct RebuildProgress: Sendable, Hashable {
  /// Events up to here are applied.
  public let position: Int64
  /// Where this pass ends.
  public let finalPosition: Int64
  /// Events that were handled.
  public let events: Int64
}

/// What a rebuild did.
public struct RebuildOutcome: Sendable, Hashable {
  public let projection: String
  public let generation: Int
  /// Events that were handled, those before an interruption included.
  public let events: Int64
  /// The position up to which the read model holds history.
  public let position: Int64
  /// Whether it went on with a build that had been interrupted.
  public let isResumed: Bool
  /// Whether the new generation is live now.
  public let isLive: Bool
  /// The checks that found something; then the new generation is kept aside and the live one stays.
  public let failedChecks: [FailedCheck]
}

/// A check of a projection file that yielded rows.
public struct FailedCheck: Sendable, Hashable {
  /// The words behind `@check`.
  public let check: String
  /// The first rows, as JSON objects.
  public let rows: [String]
}

extension EventStore {
  /// Builds a projection's read model anew from history and puts it in the place of the live one.
  ///
  /// The new generation grows beside the live one, in chunks that commit with their checkpoint: a build that was
  /// interrupted goes on where it was, as long as the file is the same. Then come the file's checks, and one
  /// short transaction that swaps the tables. The old generation is kept.
  ///
  /// - Parameters:
  ///   - definition: the bytes of a projection file.
  ///   - path: the file's name, for messages.
  ///   - chunkSize: positions a transaction.
  ///   - progress: called on the store's thread after every chunk.
  /// - Throws: ``EventStoreError``: `invalidDefinition` for a wrong file, `locked` when another session works on the
  ///   projection or holds its tables too long, `failed` for an event whose handler fails. The live read model is
  ///   untouched then.
  public func rebuildProjection(
    _ definition: [UInt8],
    path: String,
    chunkSize: Int64 = 20_000,
    progress: @Sendable (RebuildProgress) -> Void = { _ in }
  ) async throws -> RebuildOutcome {
    try await perform { connection in
      let file = try ProjectionFile(path: path, bytes: definition)
      let source = try eventSource(connection)
      try requireSchema(connection)
      return try AdvisoryLock.hold("projection \(file.name)", connection) {
        let compiler = ProjectionCompiler(file, source: source)
        let apply = compiler.applyFunction()
        try createFunction(apply, connection)
        var (generation, isResumed) = try beginOrResume(file, compiler.checkFunction(), connection)
        let final = try finalPosition(connection)
        while generation.position < final {
          let end = min(generation.position + chunkSize, final)
          try connection.transaction {
            // A crash loses the chunk together with its checkpoint, so no commit needs to wait for the disk.
            try connection.execute("SET LOCAL synchronous_commit = off")
            try run(apply, upTo: end, on: &generation, connection)
          }
          progress(RebuildProgress(position: end, finalPosition: final, events: generation.events))
        }
        let failed = try failedChecks(of: file, generation, connection)
        if failed.isEmpty { try goLive(&generation, of: file, apply, connection) }
        return RebuildOutcome(
          projection: file.name,
          generation: Int(generation.number),
          events: generation.events,
          position: generation.position,
          isResumed: isResumed,
          isLive: failed.isEmpty,
          failedChecks: failed
        )
      }
    }
  }

  /// The FROM item that handlers read: all columns of the store, also where the table lacks metadata.
  private func eventSource(_ connection: Connection) throws -> String {
    let layout = try layout(connection)
    try layout.requirePosition(for: "a projection")
    return layout.hasMetadata ? table.sql : "(SELECT *, NULL::jsonb AS metadata FROM \(table.sql))"
  }

  private func createFunction(_ code: GeneratedCode, _ connection: Connection) throws {
    do {
      try connection.execute(code.sql)
    } catch {
      throw code.fileError(for: error) ?? error
    }
  }

  /// The interrupted build of the same file, or a new one; interrupted builds of other files are dropped.
  private func beginOrResume(
    _ file: ProjectionFile,
    _ check: GeneratedCode,
    _ connection: Connection
  ) throws -> (Generation, isResumed: Bool) {
    try connection.transaction {
      try registerProjection(file, connection)
      let resumable = try Generation.resumable(file, connection)
      for abandoned in try unfinished(file.name, connection) where abandoned != resumable {
        try abandoned.drop(connection)
      }
      if let resumable { return (resumable, true) }
      let generation = try Generation.create(file, connection)
      try requireSwappable(generation, of: file, connection)
      try runCheckFunction(check, connection)
      return (generation, false)
    }
  }

  /// Plans every statement of the file against the new tables, so that a wrong name is found before the first event.
  private func runCheckFunction(_ check: GeneratedCode, _ connection: Connection) throws {
    try createFunction(check, connection)
    do {
      _ = try connection.query("SELECT pg_temp.\(check.functionName)()")
    } catch {
      throw check.fileError(for: error) ?? error
    }
  }

  private func registerProjection(_ file: ProjectionFile, _ connection: Connection) throws {
    let sql = """
      INSERT INTO annals.projections AS p (name, store, live_schema) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING p.store, p.live_schema
      """
    let result = try connection.query(sql, [.text(file.name), .text(table.description), .text(file.schema)])
    let (store, schema) = (result.string(0, 0), result.string(0, 1))
    guard store == table.description, schema == file.schema else {
      throw EventStoreError(
        .invalidDefinition,
        "projection \(file.name) reads \(store) into schema \(schema), not \(table) into \(file.schema)",
        hint:
          "Give this projection another name, or drop the other with 'annals projections drop \(file.name)'."
      )
    }
  }

  private func unfinished(_ projection: String, _ connection: Connection) throws -> [Generation] {
    let sql = """
      SELECT \(Generation.columns) FROM annals.generations WHERE projection = $1 AND state IN ('building', 'ready')
      """
    let result = try connection.query(sql, [.text(projection)])
    return (0..<result.rowCount).map { Generation(result, row: $0) }
  }

  /// Applies the events up to a position to a generation, and moves its checkpoint, in the caller's transaction.
  func run(
    _ apply: GeneratedCode,
    upTo end: Int64,
    on generation: inout Generation,
    _ connection: Connection
  ) throws {
    try generation.useSchema(connection)
    do {
      let sql = "SELECT pg_temp.\(apply.functionName)($1, $2)"
      let handled = try connection.query(sql, [.int8(generation.position), .int8(end)]).int64(0, 0)
      try generation.advance(to: end, events: handled, connection)
    } catch let error as PostgresError {
      throw PoisonEvent(error, in: apply).map { EventStoreError($0, file: apply.file) } ?? error
    }
  }

  private func failedChecks(
    of file: ProjectionFile,
    _ generation: Generation,
    _ connection: Connection
  ) throws -> [FailedCheck] {
    var failed: [FailedCheck] = []
    try connection.transaction(.repeatableReadOnly) {
      try generation.useSchema(connection)
      for check in file.checks {
        for statement in check.statements {
          let rows = try rows(of: statement, in: file.path, connection)
          if !rows.isEmpty { failed.append(FailedCheck(check: check.description, rows: rows)) }
        }
      }
    }
    return failed
  }

  /// As many rows of a failed check are shown.
  private static let checkRowLimit = 10

  private func rows(of check: SQLStatement, in path: String, _ connection: Connection) throws -> [String] {
    let prefix = "SELECT to_jsonb(annals_row)::text FROM (\n"
    let sql = "\(prefix)\(check.text)\n) AS annals_row LIMIT \(Self.checkRowLimit)"
    do {
      let result = try connection.query(sql)
      return (0..<result.rowCount).map { result.string($0, 0) }
    } catch {
      var error = error
      error.position = error.position.map { max(1, $0 - prefix.unicodeScalars.count) }
      throw SQLFileError(error, in: check, of: path)
    }
  }
}
