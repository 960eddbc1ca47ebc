internal import LibPQ

/// What applying a plan did.
public struct EvolutionResult: Sendable, Hashable {
  /// The new table.
  public let copy: QualifiedName
  /// Events in the copy, including those from before an interruption.
  public let events: Int64
  /// The position up to which the events of the original are in the copy, in some form.
  public let position: Int64
  /// Whether it continued an interrupted copy.
  public let isResumed: Bool
  /// Whether the copy now has the name of the original.
  public let isSwapped: Bool
}

extension StoreConnection {
  func apply(
    _ plan: EvolutionPlan,
    into copy: QualifiedName,
    chunkSize: Int64,
    swap: Bool,
    _ progress: @Sendable (EventStore.Progress) -> Void
  ) throws -> EvolutionResult {
    try requireSchema()
    let statements = try statements(of: plan, into: copy)
    let events = try eventsTable()
    return try AdvisoryLock.hold("evolution of \(table)", connection) {
      if swap, let done = try EvolutionCopy.find(copy, connection), done.isSwapped(by: plan) {
        return EvolutionResult(
          copy: copy,
          events: done.events,
          position: done.position,
          isResumed: true,
          isSwapped: true
        )
      }
      if swap { try requireExchangeable(with: copy, plan) }
      let history = try proveFinality()
      var (state, isResumed) = try beginOrResume(plan, into: copy, statements)
      try requireNotAhead(
        state.position,
        "the copy \(copy)",
        of: history,
        hint: "Drop the table \(copy) to start again."
      )
      var final = try finalPosition()
      while state.position < final {
        let end = try events.endOfChunk(of: chunkSize, after: state.position, upTo: final, connection)
        try connection.transaction {
          // A crash loses the chunk together with its checkpoint, so commits need not wait for the disk.
          try connection.execute("SET LOCAL synchronous_commit = off; SET LOCAL jit = off")
          try copyChunk(upTo: end, statements, &state)
        }
        progress(EventStore.Progress(done: end, of: final, events: state.events))
        // Events that were appended meanwhile, if they are worth another round.
        if end == final {
          let now = try finalPosition()
          let next = try events.endOfChunk(of: chunkSize, after: end, upTo: now, connection)
          if next < now { final = now }
        }
      }
      try connection.execute("ANALYZE \(copy.sql)")
      try reconcile(state, plan, statements)
      if state.state != .copied { try finish(&state) }
      if swap { try self.swap(&state, plan, statements) }
      return EvolutionResult(
        copy: copy,
        events: state.events,
        position: state.position,
        isResumed: isResumed,
        isSwapped: swap
      )
    }
  }

  private func finish(_ copy: inout EvolutionCopy) throws {
    var finished = copy
    try connection.transaction {
      try finished.mark(.copied, connection)
      try audit(
        .finish,
        .store,
        "'copy', \(copy.name.description), 'events', \(copy.events), 'position', \(copy.position)"
      )
    }
    copy = finished
  }

  func evolutionScript(_ plan: EvolutionPlan, into copy: QualifiedName) throws -> String {
    let statements = try statements(of: plan, into: copy)
    return
      "\(statements.create);\n\n-- In chunks, each with its checkpoint: the events with $1 < position <= $2.\n"
      + "\(statements.copyChunk);\n"
  }

  private func statements(
    of plan: EvolutionPlan,
    into copy: QualifiedName
  ) throws -> EvolutionCopyStatements {
    try requireOwn("a copy of the store")
    guard plan.store.hasSameBytes(as: table.description) else {
      throw EventStoreError(
        .invalidDefinition,
        "the plan is for \(plan.store), not for \(table)",
        hint: "Name its table with \(.table())."
      )
    }
    let events = try eventsTable()
    try events.requirePosition(for: "a copy of the store")
    try events.requirePositions(connection)
    let upcasters = try plan.rules
    try upcasters.check(for: events, connection)
    guard events.hasMetadata || upcasters.rules.allSatisfy({ $0.metadata == nil }) else {
      throw EventStoreError(
        .invalidDefinition,
        "a rule makes metadata, and \(table) has no column for it",
        hint: "Add it with \(.addPosition)."
      )
    }
    return try EvolutionCopyStatements(upcasters, from: events, into: copy, connection)
  }

  private func beginOrResume(
    _ plan: EvolutionPlan,
    into name: QualifiedName,
    _ statements: EvolutionCopyStatements
  ) throws -> (EvolutionCopy, isResumed: Bool) {
    let exists = try connection.query("SELECT to_regclass(\(name.sql)) IS NOT NULL").bool(0, 0)
    if let known = try EvolutionCopy.find(name, connection) {
      guard exists else {
        _ = try connection.query("DELETE FROM annals.evolutions WHERE copy = \(name.description)")
        return (try begin(plan, name, statements), false)
      }
      try requireContinuable(known, plan)
      return (known, true)
    }
    guard !exists else {
      throw EventStoreError(
        .invalidDefinition,
        "there is a table \(name) already, which annals did not create",
        hint: "Name another table with \(.copyName)."
      )
    }
    return (try begin(plan, name, statements), false)
  }

  private func begin(
    _ plan: EvolutionPlan,
    _ name: QualifiedName,
    _ statements: EvolutionCopyStatements
  ) throws -> EvolutionCopy {
    if plan.renumbersVersions { try requireOrder() }
    let beginning = try eventsTable().beginning(connection)
    return try connection.transaction {
      try connection.execute(statements.create)
      try audit(.copy, .store, "'copy', \(name.description)")
      return try EvolutionCopy.create(name, of: plan, at: beginning, connection)
    }
  }

  private func requireContinuable(_ known: EvolutionCopy, _ plan: EvolutionPlan) throws {
    if known.state == .swapped {
      throw EventStoreError(
        .failed,
        "this copy has already replaced \(table); \(known.name) has the old events",
        hint: "\(.rollBackEvolution(copy: known.name.description)) undoes the swap."
      )
    }
    guard known.identity == plan.identity else {
      throw EventStoreError(
        .invalidDefinition,
        "the copy \(known.name) was begun with another plan",
        hint: "Name another table with \(.copyName), or drop the table \(known.name) to start again."
      )
    }
  }

  /// Versions are renumbered chunk by chunk in the order of positions, which must be the order of versions too.
  private func requireOrder() throws {
    let sql: SQL = """
      SELECT aggregate_id, version FROM (
        SELECT aggregate_id, version, position, lag(position) OVER (PARTITION BY aggregate_id ORDER BY version) AS before
        FROM \(raw: table.sql)) AS streams
      WHERE position < before OR version IS NULL LIMIT 1
      """
    let wrong = try connection.query(sql)
    if wrong.isEmpty { return }
    guard let version = wrong[0].optionalInt32("version") else {
      throw EventStoreError.incomplete("an event of \(wrong[0].string("aggregate_id"))", without: "version")
    }
    throw EventStoreError(
      .failed,
      "\(wrong[0].string("aggregate_id")) version \(version) has a lower position than the version before it",
      detail: "@drop and @split renumber versions in the order of positions.",
      hint: "\(.verify()) lists all such events."
    )
  }

  /// Copies a chunk and moves the checkpoint, in the caller's transaction.
  func copyChunk(
    upTo end: Int64,
    _ statements: EvolutionCopyStatements,
    _ copy: inout EvolutionCopy
  ) throws {
    let parameters: [Parameter] = [.int8(copy.position), .int8(end)]
    let copied: Int
    do {
      copied = try connection.query(statements.copyChunk, parameters).affectedRows
    } catch {
      guard error.kind == .statement, error.sqlState != SQLState.queryCanceled else { throw error }
      throw EventStoreError(
        .failed,
        "the upcasters fail for an event between positions \(copy.position + 1) and \(end): \(error.message)",
        detail: error.detail,
        hint: "\(.checkEvolution) names the events. What was copied before is kept.",
        sqlState: error.sqlState
      )
    }
    try copy.advance(to: end, events: Int64(copied), connection)
  }

  // MARK: - Reconciling

  /// Compares the copy with what the upcasters make of the original now: sums of hashes by type, and the streams.
  private func reconcile(
    _ copy: EvolutionCopy,
    _ plan: EvolutionPlan,
    _ statements: EvolutionCopyStatements
  ) throws {
    try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      let expected = try fingerprints(statements.expected(upTo: copy.position))
      let actual = try fingerprints(statements.actual)
      let different = Set(expected.keys).union(actual.keys).filter { expected[$0] != actual[$0] }.sorted()
      guard different.isEmpty else {
        let counts = different.map {
          "\($0): \(expected[$0]?.events ?? 0) expected, \(actual[$0]?.events ?? 0) found"
        }
        throw Self.notEqual(copy, counts.joined(separator: "; "))
      }
      // Do not split the rows of the original: only unsplit ones have one version each.
      let source = plan.renumbersVersions ? statements.source : table.sql
      let original = try streams(
        statements.streams(of: source, where: "e.position <= \(copy.position)")
      )
      let copied = try streams(statements.streams(of: copy.name.sql, where: "true"))
      guard original.all == copied.all else {
        throw Self.notEqual(copy, "\(original.all) streams expected, \(copied.all) found")
      }
      let gaps = plan.renumbersVersions ? 0 : original.incomplete
      guard copied.incomplete == gaps else {
        throw Self.notEqual(
          copy,
          "versions are missing in \(copied.incomplete) streams, in the original in \(gaps)"
        )
      }
    }
  }

  private func streams(_ sql: SQL) throws -> (all: Int64, incomplete: Int64) {
    let row = try connection.query(sql)
    return (row[0].int64("streams"), row[0].int64("incomplete"))
  }

  private struct Fingerprint: Equatable {
    let events: Int64
    let hash: String
  }

  private func fingerprints(_ sql: SQL) throws -> [ByteString: Fingerprint] {
    let rows = try connection.query(sql).map { row in
      (
        ByteString(row.string("event_type")),
        Fingerprint(events: row.int64("events"), hash: row.string("hash"))
      )
    }
    return Dictionary(uniqueKeysWithValues: rows)
  }

  private static func notEqual(_ copy: EvolutionCopy, _ detail: String) -> EventStoreError {
    EventStoreError(
      .failed,
      "the copy \(copy.name) differs from what the upcasters return for the events",
      detail: detail,
      hint:
        "Another session wrote to it, or tables that the upcasters read have changed. Drop the table and start again."
    )
  }
}
