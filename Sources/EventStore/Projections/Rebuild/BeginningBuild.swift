internal import LibPQ

extension StoreConnection {
  /// The interrupted build of the same file, or a new one; interrupted builds of other files are dropped.
  func beginOrResume(
    _ file: Projection,
    _ source: String,
    _ options: RebuildOptions
  ) throws -> (Generation, isResumed: Bool) {
    try connection.transaction {
      try registerProjection(file)
      let resumable = options.restarts ? nil : try resumableGeneration(of: file)
      let unfinished = try generations(of: file.name, in: .building, .ready)
      for abandoned in unfinished where abandoned.number != resumable?.number {
        try abandoned.drop(connection)
        try audit(.drop, .projection(file.name), "'generation', \(abandoned.number)")
      }
      if let resumable {
        try requireSwappable(resumable)
        return (resumable, true)
      }
      let generation = try createGeneration(of: file)
      try requireSwappable(generation)
      _ = try tryTakingOver(by: generation, keepsOwnGrants: file.grants)
      try checkStatements(of: file, source, in: generation.ownSchema)
      try audit(
        .build,
        .projection(file.name),
        "'generation', \(generation.number), 'version', \(Int32(file.version))"
      )
      return (generation, false)
    }
  }

  /// Plans every statement of the file against the new tables, so that a wrong name is found before the first event.
  ///
  /// To plan a statement takes the locks that it will need, so this also finds a statement that would write elsewhere.
  func checkStatements(of file: Projection, _ source: String, in schema: String) throws {
    try requireForeignWrites(of: file)
    let compiler = ProjectionCompiler(file, source: source)
    func check(_ handlers: [Projection.Handler]) throws {
      let check = compiler.checkFunction(of: handlers)
      try connection.savepoint {
        try createFunction(check)
        try connection.confine(Confinement(file, in: schema), of: file.path) {
          do {
            _ = try connection.query("SELECT pg_temp.\(raw: check.functionName)()")
          } catch let error as PostgresError {
            throw check.translated(error)
          }
        }
      }
    }
    do {
      try check(file.handlers)
    } catch let error as EventStoreError {
      // Again, one by one, to find out which one it is.
      for handler in file.handlers {
        do { try check([handler]) } catch let error as EventStoreError {
          throw SQLFileError(error, of: file.path, at: handler.location)
        }
      }
      throw error
    }
  }

  /// Refuses `@writes` for tables that no projection may write to.
  private func requireForeignWrites(of file: Projection) throws {
    let events = foreign?.tables ?? [table]
    guard let name = file.writes.first(where: { events.contains($0) || $0.schema == "annals" }) else {
      return
    }
    throw EventStoreError(
      .invalidDefinition,
      "\(file.path): a projection may not write to \(name)",
      hint:
        "Leave out '-- @writes \(name)'. A projection cannot write to the events or to the tables of annals."
    )
  }

  func createFunction(_ code: GeneratedCode) throws {
    // A function that is dropped with its transaction needs no session.
    if !connection.isInTransaction { try connection.requireSession() }
    do {
      // As one command: see Connection.run(_:_:of:).
      _ = try connection.query(SQL(raw: code.sql))
    } catch {
      throw code.translated(error)
    }
  }

  /// The FROM item that handlers read: all columns of the store, even if the table lacks metadata.
  func eventSource() throws -> String {
    let layout = try eventsTable()
    try layout.requirePosition(for: "a projection")
    // Before PostgreSQL 16 a query in FROM must have a name.
    return layout.hasMetadata
      ? layout.source : "(SELECT *, NULL::jsonb AS metadata FROM \(layout.source) AS annals_events)"
  }

  func registerProjection(_ file: Projection) throws {
    let result = try connection.query(
      """
      INSERT INTO annals.projections AS p (name, store, live_schema)
      VALUES (\(file.name), \(table.description), \(file.schema))
      ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING p.store, p.live_schema
      """
    )
    let (store, schema) = (result[0].string("store"), result[0].string("live_schema"))
    guard store.hasSameBytes(as: table.description), schema.hasSameBytes(as: file.schema) else {
      throw EventStoreError(
        .invalidDefinition,
        "projection \(file.name) reads \(store) into schema \(schema), not \(table) into \(file.schema)",
        hint:
          "Give this projection another name, or drop the other with \(.dropProjection(name: file.name))."
      )
    }
  }

  /// Runs the checks of a file on the tables in a schema.
  func failedChecks(of file: Projection, in schema: String) throws -> [FailedCheck] {
    try connection.transaction(.repeatableReadOnly) { try runChecks(of: file, in: schema) }
  }

  /// The same in the transaction of the caller; it changes the search path and does not restore it.
  func runChecks(of file: Projection, in schema: String) throws -> [FailedCheck] {
    var failed: [FailedCheck] = []
    try connection.useNames(of: Confinement(file, in: schema), file.path)
    for check in file.checks {
      for statement in check.statements {
        let rows = try rows(of: statement, in: file.path)
        if !rows.isEmpty { failed.append(FailedCheck(check: check.description, rows: rows)) }
      }
    }
    return failed
  }

  /// Gives the planner statistics of the new tables in a schema before they are read.
  func analyze(_ schema: String) throws {
    for object in try connection.objects(in: schema) where object.kind == .table {
      try connection.execute("ANALYZE \(quoteIdentifier(schema)).\(object.name)")
    }
  }

  /// How many rows of a failed check are shown.
  private static let checkRowLimit = 10

  private func rows(of check: SQLStatement, in path: String) throws -> [String] {
    let prefix = "SELECT to_jsonb(annals_row)::text FROM (\n"
    let sql: SQL =
      "\(raw: prefix)\(raw: check.text)\n) AS annals_row LIMIT \(raw: String(Self.checkRowLimit))"
    do {
      return try connection.strings(sql)
    } catch {
      guard error.isAboutStatement else { throw error }
      var error = error
      error.position = error.position.map { max(1, $0 - prefix.unicodeScalars.count) }
      throw SQLFileError(error, in: check, of: path)
    }
  }
}
