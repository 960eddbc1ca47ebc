internal import LibPQ

/// What a reader that continues from a position knows of the store: where its end was.
///
/// A table that was truncated, restored or replaced meanwhile has events below the reader's position that the reader
/// has not seen. The last event that the reader saw tells: it is gone, or another one has its position.
struct FollowedHistory: Sendable {
  private struct LastEvent {
    let position: Int64
    let id: EventID?
  }

  private let table: QualifiedName
  private let relation: String
  /// The sequence that assigns the positions, if the role may read it.
  private let sequence: String?
  private var last: LastEvent?

  init(of table: QualifiedName, _ relation: String, sequence: String?) {
    (self.table, self.relation, self.sequence) = (table, relation, sequence)
  }

  /// The highest visible position; nil without any event.
  var head: Int64? { last?.position }

  /// Takes over what the reader knew before it lost its connection.
  mutating func goOn(from earlier: FollowedHistory?) {
    last = earlier?.last ?? last
  }

  /// Reads where history ends now.
  ///
  /// - Returns: whether the server is a standby.
  /// - Throws: ``EventStoreError`` when the last event that the reader saw is gone; ``SequenceBehind``.
  mutating func look(_ connection: Connection) throws -> Bool {
    let none = "(SELECT NULL::bigint AS last_value, NULL::boolean AS is_called)"
    let sql = SQLTemplate.endOfHistory.filled(["events": relation, "sequence": sequence ?? none])
    let result = try read(sql, connection)
    let end = result[0]
    let head = end.optionalInt64("position")
    if !end.bool("is_there") { throw replaced(head: head) }
    // A value that was not called is the next position.
    if let sequence, let head, let value = end.optionalInt64("last_value"),
      head > value || head == value && !end.bool("is_called")
    {
      throw SequenceBehind(fault: .behind(sequence, at: value, head: head), table: table)
    }
    last = head.map { LastEvent(position: $0, id: end.isNull("id") ? nil : end.eventID("id")) }
    return end.bool("is_standby")
  }

  /// Refuses to continue when the last event that the reader saw is gone.
  ///
  /// After a transaction has read the table, nobody can truncate it until the transaction ends.
  func requireUnchanged(_ connection: Connection) throws {
    guard last != nil else { return }
    let there = try read("SELECT \(Self.isThere(in: relation))", connection)
    if !there.bool(0, 0) { throw replaced(head: nil) }
  }

  private static func isThere(in relation: String) -> String {
    "EXISTS (SELECT FROM \(relation) e WHERE e.position = $1 AND e.id IS NOT DISTINCT FROM $2)"
  }

  private func read(_ sql: String, _ connection: Connection) throws -> QueryResult {
    var id: [UInt8]?
    if let known = last?.id {
      var bytes: [UInt8] = []
      bytes.append(bigEndian: known.high)
      bytes.append(bigEndian: known.low)
      id = bytes
    }
    do {
      return try connection.query(sql, [.int8(last?.position), .uuid(id)], prepared: true)
    } catch {
      guard error.sqlState == SQLState.undefinedTable, last != nil else { throw error }
      throw EventStoreError(
        .checkpointAhead,
        "\(table) was dropped or renamed while it was read",
        hint: Self.hint,
        sqlState: error.sqlState
      )
    }
  }

  private func replaced(head: Int64?) -> EventStoreError {
    let now = head.map { "; it ends at \($0) now" } ?? ""
    return EventStoreError(
      .checkpointAhead,
      "the last event that was seen in \(table), at position \(last?.position ?? 0), is gone\(now)",
      detail:
        "The table was truncated, replaced or restored while it was read. Newer events may be below "
        + "the positions that were passed.",
      hint: Self.hint
    )
  }

  private static let hint: Hint =
    "Find out what happened to the events. Then rebuild the read models, and start consumers from the beginning."
}

/// The sequence would assign positions below the head.
struct SequenceBehind: Error {
  let fault: PositionFault
  let table: QualifiedName
}

extension StoreConnection {
  /// Proves, before a reader continues from a position, that waiting for writers makes positions final.
  ///
  /// - Parameters:
  ///   - earlier: what the same reader knew before it lost its connection.
  ///   - goesOn: as for ``finalPosition(goesOn:)``.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` and the first obstacle.
  @discardableResult
  func proveFinality(after earlier: FollowedHistory? = nil, goesOn: Bool = true) throws
    -> FollowedHistory
  {
    try eventsTable().requirePosition(for: "going on from a position")
    if goesOn { try requireFinalPositions() }
    let found = try positionFaults()
    if let fault = found.faults.first {
      throw EventStoreError(fault, of: table, besides: found.faults.dropFirst())
    }
    if let doubt = found.doubt { doubtOnce(doubt) }
    var history = FollowedHistory(of: table, relation, sequence: found.sequence)
    history.goOn(from: earlier)
    _ = try look(at: &history)
    return history
  }

  /// The highest position, as ``finalPosition(_:)``, for a reader that continues from a position of its history.
  ///
  /// - Parameter stopsAtHole: whether it comes back soon, so that it may stop now at a missing position.
  func finalPosition(of history: inout FollowedHistory, stopsAtHole: Bool) throws -> Int64 {
    let known = try denseStart()
    let isReplayed = try look(at: &history)
    guard let head = history.head else { return .min }
    if isReplayed { return try stopsAtHole ? followedEnd(upTo: head) : replayedEnd(upTo: head) }
    if stopsAtHole, let end = try endBeforeHole(upTo: head, after: known) { return end }
    try waitUntilFinal(upTo: head, after: known)
    return head
  }

  /// Whether the server is a standby.
  func look(at history: inout FollowedHistory) throws -> Bool {
    let isReplayed: Bool
    do { isReplayed = try history.look(connection) } catch let error as SequenceBehind {
      throw EventStoreError(error.fault, of: error.table)
    }
    // After the look, which reports it when the table itself is gone.
    try eventsTable().requirePositions(connection)
    return isReplayed
  }

  /// What happened to the table that was read, if that made a statement fail: any statement can be the first one after
  /// the table was dropped or renamed.
  ///
  /// - Returns: nil if the error has another reason.
  func replacement(of history: FollowedHistory?, behind error: any Error) -> EventStoreError? {
    let state = (error as? PostgresError)?.sqlState ?? (error as? PoisonEvent)?.sqlState
    // "could not open relation with OID" is an internal error: the table was dropped within one statement.
    guard var history, state == SQLState.undefinedTable || state == SQLState.internalError else { return nil }
    do {
      _ = try history.look(connection)
      return nil
    } catch {
      return error as? EventStoreError
    }
  }

  /// Refuses a checkpoint above the head: the next events would come below it.
  ///
  /// - Parameters:
  ///   - subject: what has the checkpoint, such as "projection orders".
  ///   - hint: what to do about it.
  func requireNotAhead(
    _ position: Int64,
    _ subject: String,
    of history: FollowedHistory,
    hint: Hint
  ) throws {
    let head = history.head ?? 0
    guard position > head else { return }
    throw EventStoreError(
      .checkpointAhead,
      "\(subject) is at position \(position), and \(table) ends at \(head)",
      detail:
        "The events were restored to an earlier state, or removed. New events up to that position would be left "
        + "out.",
      hint: hint
    )
  }
}

extension EventStoreError {
  fileprivate init(
    _ fault: PositionFault,
    of table: QualifiedName,
    besides others: ArraySlice<PositionFault> = []
  ) {
    let also = others.isEmpty ? "" : " Also: \(others.map(\.message).joined(separator: "; "))."
    self.init(
      .invalidDefinition,
      "positions of \(table) cannot be proved final: \(fault.message)",
      detail: fault.reason + also,
      hint: Hint(fault.remedy)
    )
  }
}
