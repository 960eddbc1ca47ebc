internal import LibPQ

/// How far history is final: no event can still appear at or below a position.
public struct Watermark: Sendable, Hashable {
  /// The highest visible position; 0 in an empty store.
  public let head: Int64
  /// The transactions under way; with none of them, everything up to `head` is final.
  public let writers: [OpenTransaction]
  /// Whether the server is a standby, which cannot see the primary's transactions: there, an event that was in flight
  /// may still appear below `head` when its transaction is replayed.
  public let isReplayed: Bool
  /// The first position below the head that is missing and may still come, in a store whose positions are dense.
  public let firstMissing: Int64?
  /// The published watermark for readers on standbys; nil if there is none, or the role may not read it.
  public let published: PublishedWatermark?

  /// The watermark if it is known: the head, unless a transaction writes or nobody can tell. A standby has the
  /// published one.
  public var position: Int64? {
    if isReplayed { return published?.position }
    return firstMissing.map { $0 - 1 } ?? (writers.isEmpty ? head : nil)
  }
}

extension StoreConnection {
  func watermark() throws -> Watermark {
    try eventsTable().requirePosition(for: "a watermark")
    try proveFinality()
    let known = try denseStart()
    let (head, isReplayed) = try readHead()
    let missing = try head.flatMap { try firstMissing(after: known, upTo: $0) }
    let (published, isThere) = try lastPublished()
    return Watermark(
      head: head ?? 0,
      writers: positions == .final
        ? try writers() : missing == nil ? [] : try openTransactions(.aliveTransactions),
      isReplayed: isReplayed,
      firstMissing: missing,
      published: isThere ? published : nil
    )
  }

  /// The highest position, once everything up to it is final. Waits for writers, and names them after a second.
  ///
  /// Positions are handed out before commit, so a reader that continues from the last position that it saw would skip
  /// events that commit late: measured with 8 writers, 129,715 of 168,747 events. Here the head is read first, and the
  /// writers in a later statement: a writer that has a position at or below the head has its lock by then.
  ///
  /// The head is the highest visible position, not the sequence's last_value: a reader that stops there does not need
  /// higher positions to be final, and SELECT on the events is the only right that it needs.
  ///
  /// In an empty store it is below all positions that an event can get. On a standby see ``replayedEnd(upTo:)``.
  ///
  /// A caller that stores a position proves first that this makes it final: see ``proveFinality(after:_:)``.
  /// - Parameter goesOn: whether the caller will continue from there. A caller that reads only once gets the highest
  ///   visible position if a layout cannot tell what is final.
  func finalPosition(goesOn: Bool = true) throws -> Int64 {
    if goesOn { try requireFinalPositions() }
    try eventsTable().requirePositions(connection)
    let known = try denseStart()
    let (head, isReplayed) = try readHead()
    guard let head else { return .min }
    if isReplayed { return try replayedEnd(upTo: head) }
    try waitUntilFinal(upTo: head, after: known)
    return head
  }

  /// Waits until no event can come at or below the head.
  func waitUntilFinal(upTo head: Int64, after known: Int64?) throws {
    switch positions {
    case .final: try waitForWriters()
    case .dense(let grace): try passHoles(upTo: head, after: known, grace: grace)
    case .late: break
    }
  }

  /// Waits for the transactions that write now.
  func waitForWriters() throws {
    let limit = writerLimit.map { $0 / .seconds(1) } ?? .infinity
    let open = try waitForEnd(purpose: "writes to \(table)", limitSeconds: limit) { try writers() }
    guard let oldest = open.first else { return }
    let others = open.count > 1 ? " and \(open.count - 1) more" : ""
    throw EventStoreError(
      .locked,
      "a transaction writes to \(table) and did not end in time: \(oldest.summary)\(others)",
      detail:
        "It may add an event below the last position, so no checkpoint can be stored there.",
      hint: "End the transaction, or wait longer."
    )
  }

  /// What makes positions final.
  var positions: Layout.Positions { foreign?.positions ?? .final }

  /// Refuses to continue from a position if that could skip events.
  func requireFinalPositions() throws {
    guard let foreign, foreign.positions == .late else { return }
    throw EventStoreError(
      .invalidDefinition,
      "cannot tell which positions of \(foreign.path) are final",
      detail:
        "Its writers take positions before they hold a lock that shows it (@positions late), so a reader "
        + "that continues from a position could skip events.",
      hint:
        "Read without following and without a checkpoint, or give the layout '@positions dense' where the positions of"
        + " the store have no holes for good; see \(.manual(.layoutFiles))."
    )
  }

  /// The highest visible position; nil without any event.
  func readHead() throws -> (position: Int64?, isReplayed: Bool) {
    let result = try connection.query(
      "SELECT max(position) AS head, pg_is_in_recovery() AS is_standby FROM \(raw: relation) e"
    )
    return (result[0].optionalInt64("head"), result[0].bool("is_standby"))
  }

  func writers() throws -> [OpenTransaction] {
    let tables = foreign?.tables ?? [table]
    return try openTransactions(.watermark, [.textArray(tables.map(\.sql))])
  }
}
