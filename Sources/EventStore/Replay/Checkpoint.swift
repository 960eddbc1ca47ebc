internal import LibPQ

/// The position up to which a named consumer is done.
struct Checkpoint: Sendable {
  let name: String
  private(set) var position: Int64
  /// Whether the consumer meets all events of its selection, so that it is known which ones it has met.
  let meetsAll: Bool

  /// The connection that holds its lock; see ``Session/number``.
  fileprivate(set) var session: Int

  /// Moves on, unless another session moved it meanwhile: the session's lock can be lost, this check cannot.
  ///
  /// - Parameter seen: the events that were met on the way.
  mutating func move(
    to new: Int64,
    seen: SeenEvents,
    in store: EventStore,
    within timeout: Duration
  ) async throws {
    guard new > position else { return }
    let checkpoint = self
    self = try await store.reconnecting(within: timeout) { try await store.move(checkpoint, to: new, seen) }
  }

  /// Takes the lock again if the connection that held it was lost.
  mutating func keepLock(in store: EventStore, within timeout: Duration) async throws {
    guard await store.sessionNumber != session else { return }
    let checkpoint = self
    self = try await store.reconnecting(within: timeout) { try await store.keepLock(of: checkpoint) }
  }

  /// The same in the caller's transaction.
  mutating func move(to new: Int64, seen: SeenEvents, _ connection: Connection) throws {
    let seen = meetsAll ? seen : nil
    try CheckpointFence.pass(
      """
      UPDATE annals.checkpoints SET position = \(new), moved_at = clock_timestamp(),
        seen_events = seen_events + \(seen?.count), seen_hash = seen_hash + \(seen?.hash),
        done_ahead = (SELECT array_agg(p) FROM unnest(done_ahead) p WHERE p > \(new))
      WHERE name = \(name) AND position = \(position) AND position < \(new)
      """,
      connection,
      orThrow: moved
    )
    position = new
  }

  /// The error when it has another position.
  fileprivate var moved: EventStoreError {
    CheckpointFence.moved(
      "checkpoint '\(name)'",
      from: position,
      consequence: "Events after that position may have been processed twice.",
      hint: "Find out which other process uses this checkpoint. Run again to continue from its position."
    )
  }

  static func lockName(_ checkpoint: String) -> String { "checkpoint \(checkpoint)" }

  fileprivate mutating func hasMoved(to new: Int64) { position = new }
}

extension EventStore {
  /// Locks a checkpoint for this session, and creates it before the first event if there is none.
  ///
  /// - Throws: ``EventStoreError`` with code `locked`, or `failed` when the checkpoint belongs to another query: to
  ///   continue with it would leave events out.
  func openCheckpoint(
    _ name: String,
    for query: EventQuery,
    following: Bool = true,
    standby: Bool = false,
    start: ReplayStart? = nil
  ) async throws -> Checkpoint {
    try await perform {
      try $0.openCheckpoint(name, for: query, following: following, standby: standby, start: start)
    }
  }

  fileprivate var sessionNumber: Int { session.number }

  fileprivate func keepLock(of checkpoint: Checkpoint) async throws -> Checkpoint {
    try await perform { try $0.keepLock(of: checkpoint) }
  }

  fileprivate func move(
    _ checkpoint: Checkpoint,
    to new: Int64,
    _ seen: SeenEvents
  ) async throws -> Checkpoint {
    try await perform { try $0.move(checkpoint, to: new, seen) }
  }
}

extension StoreConnection {
  func openCheckpoint(
    _ name: String,
    for query: EventQuery,
    following: Bool,
    standby: Bool,
    start: ReplayStart? = nil
  ) throws -> Checkpoint {
    try requireFollowable(keepsCheckpoint: true)
    try requireSchema()
    // A replay that is refused must not leave a checkpoint.
    if !following { try requireNames(in: query) }
    try requireContents(of: query)
    try requireComplete(for: query)
    return try take(Checkpoint.lockName(name), inTurn: standby) {
      let checkpoint = try readCheckpoint(name, query, start)
      // Events that came during the wait for the lock count too.
      try requireNotAhead(checkpoint.position, of: name, try proveFinality())
      return checkpoint
    }
  }

  func keepLock(of checkpoint: Checkpoint) throws -> Checkpoint {
    var checkpoint = checkpoint
    if try relock(&checkpoint), try !isMoved(checkpoint, to: checkpoint.position) { throw checkpoint.moved }
    return checkpoint
  }

  func move(_ checkpoint: Checkpoint, to new: Int64, _ seen: SeenEvents) throws -> Checkpoint {
    var moved = checkpoint
    // The lost session may have moved it, although the answer was lost.
    if try relock(&moved), try isMoved(moved, to: new) {
      moved.hasMoved(to: new)
    } else {
      try moved.move(to: new, seen: seen, connection)
    }
    return moved
  }

  /// - Returns: whether another session held the lock.
  private func relock(_ checkpoint: inout Checkpoint) throws -> Bool {
    guard checkpoint.session != session.number else { return false }
    try keepLock(ofCheckpoint: checkpoint.name)
    checkpoint.session = session.number
    return true
  }

  /// Takes the lock of a checkpoint that this session's replay works with, where it was lost with a connection.
  func keepLock(ofCheckpoint name: String) throws {
    try AdvisoryLock.acquireLost([Checkpoint.lockName(name)], connection)
  }

  /// The positions behind a checkpoint that are done.
  func doneAhead(of checkpoint: String) throws -> [Int64] {
    let done = try connection.query(
      "SELECT p AS position FROM annals.checkpoints, unnest(done_ahead) p WHERE name = \(checkpoint)"
    )
    return done.map { $0.int64("position") }
  }

  func rememberDone(_ positions: [Int64], aheadOf checkpoint: String) throws {
    try keepLock(ofCheckpoint: checkpoint)
    _ = try connection.query(
      "UPDATE annals.checkpoints SET done_ahead = \(Parameter.int8Array(positions)) WHERE name = \(checkpoint)"
    )
  }

  private func isMoved(_ checkpoint: Checkpoint, to new: Int64) throws -> Bool {
    let found = try connection.query(
      "SELECT FROM annals.checkpoints WHERE name = \(checkpoint.name) AND position = \(new)"
    )
    return !found.isEmpty
  }

  private func readCheckpoint(
    _ name: String,
    _ query: EventQuery,
    _ start: ReplayStart?
  ) throws -> Checkpoint {
    let beginning = try eventsTable().beginning(connection)
    let isKnown = try !connection.query("SELECT FROM annals.checkpoints WHERE name = \(name)").isEmpty
    let first = try isKnown ? nil : start.map { try self.position(before: $0) }
    // A reader that begins in the middle of history has not met the events before.
    let seen: Int64? = first == nil ? 0 : nil
    let result = try connection.query(
      """
      INSERT INTO annals.checkpoints (name, store, filter, aggregate_id, category, event_types, position, seen_events,
        seen_hash)
      VALUES (\(name), \(table.description), \(filterText(of: query)), \(query.aggregateID), \(query.category),
        \(Parameter.textArray(query.types)), \(first ?? beginning), \(seen), \(seen))
      ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING position, store, filter
      """
    )
    let row = result[0]
    try require(name, isFor: query, store: row.string("store"), filter: row.string("filter"))
    let position = row.int64("position")
    try require(name, at: position, goesOnTo: query.fromPosition, beginning)
    let meetsAll = upcasters.isEmpty && query.meetsAll(after: position)
    return Checkpoint(name: name, position: position, meetsAll: meetsAll, session: session.number)
  }

  /// The position after which a replay with the checkpoint would begin.
  func checkpointPosition(_ name: String, for query: EventQuery, start: ReplayStart?) throws -> Int64 {
    let history = try requireFollowable(keepsCheckpoint: true)
    try requireSchema()
    let result = try connection.query(
      "SELECT position, store, filter FROM annals.checkpoints WHERE name = \(name)"
    )
    let beginning = try eventsTable().beginning(connection)
    if result.isEmpty { return try start.map { try self.position(before: $0) } ?? beginning }
    let row = result[0]
    try require(name, isFor: query, store: row.string("store"), filter: row.string("filter"))
    let position = row.int64("position")
    try require(name, at: position, goesOnTo: query.fromPosition, beginning)
    try requireNotAhead(position, of: name, history)
    return position
  }

  private func requireNotAhead(
    _ position: Int64,
    of name: String,
    _ history: FollowedHistory
  ) throws {
    try requireNotAhead(
      position,
      "checkpoint '\(name)'",
      of: history,
      hint: "Restore the events that the consumer has processed, or use another checkpoint."
    )
  }

  /// The same position has another meaning for another selection.
  private func require(
    _ name: String,
    isFor query: EventQuery,
    store: String,
    filter: String
  ) throws {
    guard store.hasSameBytes(as: table.description), filter.hasSameBytes(as: filterText(of: query)) else {
      throw EventStoreError(
        .failed,
        "checkpoint '\(name)' belongs to another replay",
        detail:
          "It was made for \(store) with \(filter), and this is \(table) with \(filterText(of: query)): "
          + "the events that it skipped then would be missing.",
        hint: "Use another name, or the same filters."
      )
    }
  }

  /// A checkpoint that was never moved begins at the start of the replay; a later start would leave events out.
  private func require(
    _ name: String,
    at position: Int64,
    goesOnTo first: Int64?,
    _ beginning: Int64
  ) throws {
    guard let first, position > beginning, first.saturatingAdd(-1) > position else { return }
    throw EventStoreError(
      .failed,
      "checkpoint '\(name)' is at position \(position), and the replay would begin at \(first)",
      detail: "The events between the two would be skipped.",
      hint: "Use another name, or omit the first position."
    )
  }

  /// The filters that decide which events a consumer gets, and in which form, in words.
  private func filterText(of query: EventQuery) -> String {
    let parts = query.filters + [upcasters.digest.map { "upcasters \($0)" }].compactMap(\.self)
    return parts.isEmpty ? "no filter" : parts.joined(separator: "; ")
  }
}

extension EventQuery {
  /// Whether a replay that begins after a position skips no event of the selection.
  fileprivate func meetsAll(after position: Int64) -> Bool {
    // A checkpoint that was never moved is at 0, which is before all events.
    let begins = fromPosition.map { $0 <= max(1, position &+ 1) } ?? true
    return begins && contents.isEmpty && since == nil && fromVersion == nil && toVersion == nil && last == nil
  }

  /// The filters, in words, that leave out events below the position at which a replay ends.
  fileprivate var filters: [String] {
    var parts: [String] = []
    if let aggregateID { parts.append("aggregate \(aggregateID)") }
    if let category { parts.append("category \(category)") }
    let types = Set(types.map { ByteString($0) }).sorted().map(\.string)
    if !types.isEmpty { parts.append("types \(types.joined(separator: ", "))") }
    parts += contents.map(\.description)
    if let since { parts.append("since \(since)") }
    if let fromVersion { parts.append("from version \(fromVersion)") }
    if let toVersion { parts.append("to version \(toVersion)") }
    return parts
  }
}
