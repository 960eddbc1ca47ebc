internal import LibPQ

/// The place of an event of a chunk after ``ChunkWriter/store(_:meanwhile:)``.
struct Place: Sendable {
  enum Status: Sendable { case appended, existing, rejected }

  var version: Int32 = 0
  var position: Int64?
  var status = Status.appended
}

/// Stores chunks of events in the current transaction.
///
/// Versions are assigned here, from heads that are looked up for a chunk at a time. When another writer was first, the
/// unique pair refuses the chunk; it is rolled back to its savepoint and tried again, in halves, with new heads.
struct ChunkWriter {
  let statements: AppendStatements
  var connection: Connection
  let wantsPositions: Bool
  /// Sets a line aside, or throws when that is not allowed.
  let reject: (RejectedLine) throws -> Void

  /// The time of events that bring none: of the transaction, or later if heads were read since. Another writer may have
  /// appended after the transaction began, and its event must not have a later time than the one that follows it.
  var currentTime = Timestamp(microseconds: 0)
  /// Look for stored events before sending anything: useful once some were found, as in a second run of an input.
  var looksFirst = false
  /// Take turns with other batches that met a deadlock.
  var takesTurns = false
  private var heads = StreamHeads()

  private static let maximumAttempts = 200

  init(
    _ statements: AppendStatements,
    _ connection: Connection,
    wantsPositions: Bool,
    reject: @escaping (RejectedLine) throws -> Void
  ) {
    self.statements = statements
    self.connection = connection
    self.wantsPositions = wantsPositions
    self.reject = reject
  }

  /// Forgets what a rolled-back transaction wrote.
  mutating func forgetHeads() { heads.removeAll() }

  /// Stores what is not stored yet.
  ///
  /// - Parameter meanwhile: is called once while the server works; it must not throw.
  mutating func store(_ chunk: EventChunk, meanwhile: () -> Void) throws -> [Place] {
    heads.shrink()
    var places = [Place](repeating: Place(), count: chunk.entries.count)
    let keepsApart = statements.uniqueKeys.keepEventsApart
    // The table does not refuse these events, so look for them before they are sent.
    let runs = keepsApart ? [ArraySlice(chunk.entries.indices)] : chunk.runsOfDifferentIDs
    for (number, run) in runs.enumerated() {
      let pending = looksFirst || !keepsApart ? try withoutStored(chunk, run, &places) : run
      try store(chunk, pending, &places) { if number == runs.count - 1 { meanwhile() } }
    }
    return places
  }

  private mutating func store(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: inout [Place],
    _ meanwhile: () -> Void
  ) throws {
    var pending = indexes
    var attempts = 0
    while !pending.isEmpty {
      let planned = pending.prefix(try plan(chunk, pending, &places))
      guard !planned.isEmpty else {
        pending = try resolveMismatch(chunk, pending, &places)
        continue
      }
      do {
        try send(chunk, planned, &places, meanwhile)
        pending = pending.dropFirst(planned.count)
      } catch let error as PostgresError {
        heads.forget(chunk, planned)
        if error.isRefusedData, error.sqlState != SQLState.uniqueViolation {
          pending = try withoutRefused(error, chunk, planned, &places) + pending.dropFirst(planned.count)
          continue
        }
        try checkLostRace(error, chunk, planned)
        let rest = try withoutStored(chunk, pending, &places)
        if rest.count < pending.count {
          looksFirst = true
          pending = rest
          continue
        }
        attempts += 1
        guard attempts < Self.maximumAttempts else { throw error }
        try connection.canceller.sleep(for: .milliseconds(Int.random(in: 0...min(attempts, 20))))
        if planned.count > 1 {
          // This also finds an id that is in the chunk twice: the second half then meets the first.
          let half = planned.prefix(planned.count / 2)
          try store(chunk, half, &places, {})
          pending = pending.dropFirst(half.count)
        }
      }
    }
  }

  /// Assigns versions to the events at the beginning as long as their expectations hold; returns their number.
  private mutating func plan(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: inout [Place]
  ) throws(PostgresError) -> Int {
    try loadHeads(chunk, indexes)
    var count = 0
    for index in indexes {
      let entry = chunk.entries[index]
      guard let version = heads.advance(entry.aggregateID, expecting: entry.expected) else { break }
      places[index].version = version
      count += 1
    }
    return count
  }

  private mutating func loadHeads(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>
  ) throws(PostgresError) {
    let unknown = heads.addUnknown(chunk, indexes)
    guard !unknown.isEmpty else { return }
    do throws(PostgresError) {
      let result = try connection.query(statements.findHeads, [.textArray(utf8: unknown)], prepared: true)
      // Read by number. A distributed table returns the ids of existing streams with their heads, others all heads.
      if statements.table.isDistributed {
        for id in unknown { heads.set(id, 0) }
        for row in 0..<result.rowCount { heads.set(Array(result.string(row, 0).utf8), result.int32(row, 1)) }
      } else {
        for row in 0..<result.rowCount { heads.set(unknown[row], result.int32(row, 0)) }
      }
      let now = try connection.query("SELECT clock_timestamp()", prepared: true)
      currentTime = Timestamp(microseconds: now.int64(0, 0))
    } catch {
      heads.removeAll()
      throw error
    }
  }

  private func send(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: inout [Place],
    _ meanwhile: () -> Void
  ) throws {
    let count = try connection.savepoint { try copy(chunk, indexes, places, meanwhile: meanwhile) }
    guard count == indexes.count else {
      throw try statements.notKept("\(count) of \(indexes.count) events were stored", connection)
    }
    try statements.checkKept(chunk, indexes, connection) { places[$0].version }
    guard wantsPositions, statements.table.hasPosition else { return }
    let result = try connection.query(
      statements.findPositions,
      [chunk.aggregateIDs(indexes), .int4Array(indexes.map { places[$0].version })],
      prepared: true
    )
    guard result.rowCount == indexes.count else {
      throw try statements.notKept("not every event is where it was stored", connection)
    }
    for (row, index) in indexes.enumerated() { places[index].position = result.optionalInt64(row, 0) }
  }

  /// The first event's expectation does not hold. Either the head is out of date, or the event is stored already and
  /// its expectation is that of the append that stored it.
  private mutating func resolveMismatch(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: inout [Place]
  ) throws -> ArraySlice<Int> {
    let first = indexes[indexes.startIndex]
    let entry = chunk.entries[first]
    heads.forget(chunk, indexes.prefix(1))
    try loadHeads(chunk, indexes.prefix(1))
    let head = Int(heads[entry.aggregateID] ?? 0)
    if entry.expected.allowedHeads.contains(head), head < Int32.max { return indexes }
    let rest = try withoutStored(chunk, indexes, &places)
    guard rest.first == first else {
      looksFirst = true
      return rest
    }
    let name = chunk.aggregateID(of: first)
    guard head < Int32.max else { throw EventStoreError.fullStream(name).at(line: entry.line) }
    throw try statements.versionConflict(
      name,
      expected: entry.expected,
      actual: head,
      line: entry.line,
      connection
    )
  }

  /// Drops the events that are stored, after checking that they are the same.
  private func withoutStored(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: inout [Place]
  ) throws -> ArraySlice<Int> {
    let stored = try statements.storedEvents(chunk, indexes, connection)
    guard !stored.isEmpty else { return indexes }
    for event in stored {
      guard event.differences.isEmpty else {
        throw statements.idConflict(event, chunk).at(line: chunk.entries[event.index].line)
      }
      places[event.index] = Place(
        version: Int32(event.version),
        position: event.position,
        status: .existing
      )
    }
    return indexes.filter { places[$0].status != .existing }[...]
  }

  /// Sets aside the event that the server refused, or throws.
  private func withoutRefused(
    _ error: PostgresError,
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: inout [Place]
  ) throws -> ArraySlice<Int> {
    guard let row = failedCopyRow(error, table: statements.table.name.name), row <= indexes.count else {
      throw EventStoreError.refusedEvent(error)
    }
    let index = indexes[indexes.startIndex + row - 1]
    let detail = error.detail.map { " (\($0))" } ?? ""
    try reject(chunk.refusedLine(index, "refused by the server: \(error.message)\(detail)"))
    places[index].status = .rejected
    return indexes.filter { $0 != index }[...]
  }

  /// Throws the error unless another writer won a race.
  private func checkLostRace(_ error: PostgresError, _ chunk: EventChunk, _ indexes: ArraySlice<Int>) throws {
    guard error.sqlState == SQLState.uniqueViolation else { throw error }
    guard case .other = try UniqueViolation(error, connection)
    else { return }
    let row = failedCopyRow(error, table: statements.table.name.name) ?? 1
    let index = indexes[min(indexes.startIndex + row, indexes.endIndex) - 1]
    throw EventStoreError.refusedEvent(error).at(line: chunk.entries[index].line)
  }
}
