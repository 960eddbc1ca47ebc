internal import LibPQ

/// A running test: its own store and read model, in schemas that exist only in its transaction.
struct TestRun {
  let test: TestCase
  /// Reads the events of the test as a store reads its own.
  let store: StoreConnection
  let recording: Bool
  let names: Names
  private var apply: GeneratedCode?
  /// Copies the events if upcasters split some, since those cannot be read without a copy.
  private var copying: EvolutionCopyStatements?
  /// The position up to which events were handled, or copied.
  private var position: Int64?
  var result: TestResult

  /// The schemas of a test.
  struct Names {
    /// The schema of the read model.
    let model: String
    /// The schema of the events.
    let store: String
    /// The schema of the other relations that a test can query: `events` and `states`.
    let shown: String

    /// - Parameter number: one that no other transaction has.
    init(_ number: String) {
      model = "annals_test_\(number)"
      (store, shown) = (model + "_store", model + "_shown")
    }
  }

  var connection: Connection { store.connection }
  /// The schemas in which a query of the test finds names.
  var confinement: Confinement {
    let searchPath = test.subject.projection?.searchPath ?? []
    return Confinement(reading: names.model, searchPath).alsoReading(names.shown)
  }

  /// Creates the schemas, and the table of events.
  init(_ test: TestCase, by hand: StoreConnection, recording: Bool) throws {
    (self.test, self.recording) = (test, recording)
    let connection = hand.connection
    names = Names(try connection.strings("SELECT txid_current()::text")[0])
    for schema in [names.model, names.store, names.shown] {
      try connection.execute("CREATE SCHEMA \(quoteIdentifier(schema))")
    }
    let table = QualifiedName(schema: names.store, name: "events")
    if test.subject.layout == nil {
      try connection.execute(
        SQLTemplate.createEvents.filled([
          "events": table.sql, "id_key": "PRIMARY KEY (id)", "partitioning": "",
          "position_key": "ALTER TABLE \(table.sql) ADD UNIQUE (position)",
        ])
      )
    }
    store = StoreConnection(
      connection,
      of: hand.session,
      table: test.subject.layout?.tables[0] ?? table,
      layout: test.subject.layout,
      upcasters: test.subject.isCopied ? .none : Upcasters(files: test.subject.upcasters),
      notify: hand.notify
    )
    result = TestResult(of: test)
  }

  /// Runs the test; its faults go into the result.
  ///
  /// - Throws: errors that say nothing about the test: a lost connection, a cancellation.
  mutating func run() throws {
    do {
      try begin()
      for stage in test.stages {
        try store.store(stage.given)
        if try handle(stage) { try compare(stage) }
      }
    } catch {
      let (failure, status) = try Self.failure(error, test)
      result.add(failure, status)
    }
  }

  private static func failure(_ error: any Error, _ test: TestCase) throws -> (TestFailure, TestResult.Status)
  {
    if Task.isCancelled { throw error }
    switch error {
    case let error as SQLFileError: return (TestFailure(EventStoreError(error)), .wrong)
    case let error as EventStoreError where error.code == .invalidDefinition:
      return (TestFailure(error), .wrong)
    case let error as EventStoreError where error.code == .failed || error.code == .permissionDenied:
      return (TestFailure(error), .failed)
    case let poison as PoisonEvent:
      return (poison.testFailure(in: test.subject.projection?.path ?? ""), .failed)
    case let error as PostgresError where error.kind == .statement:
      return (error.testFailure(at: "\(test.path):\(test.line):1"), .failed)
    default: throw error
    }
  }
}

// MARK: - Beginning

extension TestRun {
  private mutating func begin() throws {
    try setUp()
    let events = try store.eventsTable()
    let shown = quoteIdentifier(names.shown)
    if test.subject.isCopied {
      let upcasters = Upcasters(files: test.subject.upcasters)
      try upcasters.check(for: events, connection)
      let copy = QualifiedName(schema: names.shown, name: "events")
      let copying = try EvolutionCopyStatements(upcasters, from: events, into: copy, connection)
      try connection.execute(copying.create)
      self.copying = copying
    } else {
      try connection.execute(
        "CREATE VIEW \(shown).events AS SELECT \(events.columns) FROM \(events.source) AS e"
      )
    }
    if test.subject.reducer != nil {
      try connection.execute("CREATE TABLE \(shown).states (aggregate_id text, version integer, state jsonb)")
    }
    if let projection = test.subject.projection { try create(projection) }
  }

  /// Runs `@setup`, which may create anything, but change nothing that was there.
  private func setUp() throws {
    guard !test.setup.isEmpty else { return }
    let own = Parameter.textArray([names.model, names.store, names.shown])
    let there = try connection.query(
      """
      SELECT c.oid::bigint AS number FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname <> ALL (\(own))
      """
    ).map { $0.int64("number") }
    // Handlers do not see names of `@setup` without a schema: in a rebuild they would not exist.
    try connection.useSchemas(names.shown)
    for statement in test.setup {
      if statement.keyword == "COPY" {
        throw SQLFileError(
          file: test.path,
          location: statement.location,
          message: "@setup cannot run COPY",
          hint: "Fill the table with INSERT."
        )
      }
      try connection.execute(statement, of: test.path)
      try connection.useSchemas(names.shown)
      let changed = try connection.strings(.writesToOthers, [.int8Array(there)])
      if let name = changed.first {
        throw SQLFileError(
          file: test.path,
          location: statement.location,
          message: "@setup changes or locks \(name), which was there before",
          hint: "Run the tests in a database of their own, and create there what they need."
        )
      }
    }
    try connection.useOwnPath()
  }

  /// Creates the read model as a rebuild does.
  private mutating func create(_ file: Projection) throws {
    try requireOwnWrites(of: file)
    try connection.run(file.create, Confinement(file, in: names.model), of: file.path, moving: true)
    let source = try store.eventSource()
    try store.checkStatements(of: file, source, in: names.model)
    let apply = ProjectionCompiler(file, source: source).applyFunction()
    try store.createFunction(apply)
    self.apply = apply
  }

  /// The test must have created each table beside the read model.
  private func requireOwnWrites(of file: Projection) throws {
    guard !file.writes.isEmpty else { return }
    let (sqlNames, shownNames) = (file.writes.map(\.sql), file.writes.map(\.description))
    let sql: SQL = """
      SELECT w.shown FROM unnest(\(Parameter.textArray(sqlNames)), \(Parameter.textArray(shownNames))) AS w (name, shown)
      JOIN pg_class c ON c.oid = to_regclass(w.name)
      -- Made by another transaction than this one or one below it; of an older one the number tells no status.
      WHERE CASE WHEN age(c.xmin) <= age((txid_current() & 4294967295)::text::xid)
        THEN txid_status((txid_current() & ~4294967295) | c.xmin::text::bigint) IS DISTINCT FROM 'in progress' ELSE true END
      """
    guard let name = try connection.strings(sql).first else { return }
    throw EventStoreError(
      .invalidDefinition,
      "\(file.path): the projection writes to \(name), which is there in this database",
      detail: "A test would change it until it is rolled back, and keep others from it.",
      hint: "Run the tests in a database of their own, and create the table in \"-- @setup\"."
    )
  }
}

// MARK: - Events

extension TestRun {
  /// Handles the events of a stage, and checks the error if one is expected.
  ///
  /// - Returns: whether there is a result to compare.
  private mutating func handle(_ stage: TestCase.Stage) throws -> Bool {
    guard let (state, location) = stage.error else {
      try handleEvents()
      return true
    }
    let place = "\(test.path):\(location.line):\(location.column)"
    do {
      try connection.savepoint { try handleEvents() }
      result.add(TestFailure("\(place): no error came, and SQLSTATE \(state) was expected"))
    } catch {
      guard let found = Self.sqlState(of: error) else { throw error }
      if found == state { return false }
      var (failure, status) = try Self.failure(error, test)
      failure.message = "\(place): SQLSTATE \(found) came, and \(state) was expected: \(failure.message)"
      if failure.detail?.utf8.starts(with: "SQLSTATE".utf8) == true { failure.detail = nil }
      status = .failed
      result.add(failure, status)
    }
    return false
  }

  private static func sqlState(of error: any Error) -> String? {
    switch error {
    case let poison as PoisonEvent: poison.sqlState
    case let error as PostgresError where error.kind == .statement: error.sqlState
    case let error as EventStoreError: error.sqlState
    default: nil
    }
  }

  private mutating func handleEvents() throws {
    if let apply, let projection = test.subject.projection {
      guard let last = try lastPosition() else { return }
      try connection.deferAsDeclared(in: names.model)
      let confinement = Confinement(projection, in: names.model)
      _ = try connection.handleEvents(by: apply, after: position, upTo: last, within: confinement)
      position = last
    } else if let reducer = test.subject.reducer {
      try fold(reducer)
    } else if let copying {
      guard let last = try lastPosition() else { return }
      _ = try connection.query(copying.copyChunk, [.int8(position ?? 0), .int8(last)])
      position = last
    } else {
      // All columns of each event, since the planner leaves out columns that are not needed.
      try connection.readingOnly { _ = try connection.query("SELECT count(e) FROM \(raw: shownEvents) AS e") }
    }
  }

  /// The last position of the events, if it is still to be handled.
  private func lastPosition() throws -> Int64? {
    let sql: SQL = "SELECT max(e.position) FROM \(raw: try store.eventsTable().source) AS e"
    let last = try connection.query(sql).optionalInt64(0, 0)
    return last.flatMap { $0 > position ?? .min ? $0 : nil }
  }

  private var shownEvents: String { "\(quoteIdentifier(names.shown)).events" }

  /// Folds all streams, as states are folded in a store.
  private func fold(_ reducer: Reducer) throws {
    let events = try store.eventsTable()
    let base: SQL = """
      SELECT h.aggregate_id, \(raw: Fold.beginning) AS version, NULL::jsonb AS state, h.upto
      FROM (SELECT e.aggregate_id, min(e.version) AS first_version, max(e.version) AS upto
            FROM \(raw: events.source) AS e GROUP BY e.aggregate_id) AS h
      """
    let query = Fold(reducer, of: events).query(
      base: base,
      result: """
        SELECT f.aggregate_id, f.version, f.state::text AS state FROM annals_fold AS f
        WHERE f.version = f.upto OR f.state IS NULL ORDER BY f.aggregate_id
        """
    )
    let states = try store.namingPoison(of: reducer, suspects: try aggregates()) {
      try connection.readingOnly {
        try connection.run(query).map { row in
          (id: row.string("aggregate_id"), version: row.int32("version"), state: row.optionalString("state"))
        }
      }
    }
    if let null = states.first(where: { $0.state == nil }) {
      throw try store.nullState(at: null.version, of: null.id, reducer)
    }
    let ids = Parameter.textArray(states.map(\.id))
    let texts = Parameter.textArray(states.compactMap(\.state))
    let versions = Parameter.int4Array(states.map(\.version))
    let table = "\(quoteIdentifier(names.shown)).states"
    try connection.execute("DELETE FROM \(table)")
    _ = try connection.query(
      """
      INSERT INTO \(raw: table) SELECT s.id, s.version, s.state::jsonb
      FROM unnest(\(ids), \(versions), \(texts)) AS s (id, version, state)
      """
    )
  }

  private func aggregates() throws -> [String] {
    try connection.strings("SELECT DISTINCT e.aggregate_id FROM \(raw: shownEvents) AS e ORDER BY 1")
  }
}

extension Connection {
  /// Runs `body` so that the server refuses every change, and all settings are restored when it returns.
  func readingOnly<T>(_ body: () throws -> T) throws -> T {
    try rolledBack {
      try execute("SET LOCAL transaction_read_only = on")
      return try body()
    }
  }

  /// Defers the constraints of a schema as their declarations say, as at the beginning of a transaction.
  fileprivate func deferAsDeclared(in schema: String) throws {
    let sql: SQL = """
      SELECT format('%I.%I', n.nspname, c.conname) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
      WHERE n.nspname = \(schema) AND c.condeferred
      """
    let names = try strings(sql)
    if !names.isEmpty { try execute("SET CONSTRAINTS \(names.joined(separator: ", ")) DEFERRED") }
  }
}

extension PostgresError {
  func testFailure(at place: String) -> TestFailure {
    if sqlState == SQLState.queryCanceled {
      return TestFailure(
        "\(place): a statement was ended: \(message)",
        hint: "It ran longer than \(.testTimeout) allows, or somebody cancelled it."
      )
    }
    let states = sqlState.map { "SQLSTATE \($0)." }
    return TestFailure(
      "\(place): \(message)",
      detail: [states, detail].compactMap(\.self).joined(separator: " "),
      hint: hint.map { Hint($0) }
    )
  }
}

extension PoisonEvent {
  fileprivate func testFailure(in file: String) -> TestFailure {
    TestFailure(
      "\(place(in: file)) the handler failed for \(subject): \(message)",
      detail: "SQLSTATE \(sqlState)." + (cause.map { " \($0)" } ?? "")
    )
  }
}
