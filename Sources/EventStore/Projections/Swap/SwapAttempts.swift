internal import LibPQ

/// What blocks a swap now, and may not in a moment.
enum SwapObstacle: Error {
  /// A transaction that may have a snapshot older than the last rows.
  case snapshot(OpenTransaction)
  /// Others went further in the meantime than this build has caught up.
  case overtaken
}

/// How a swap waits for readers' snapshots.
///
/// A swap moves tables that others know by name, and changes no row. It must not, since the manual says of a REPEATABLE
/// READ or SERIALIZABLE transaction ("Caveats" in "Concurrency Control") that "internal access to the system catalogs
/// is not done using the isolation level of the current transaction. This means that newly created database objects
/// such as tables are visible to concurrent Repeatable Read and Serializable transactions, even though the rows they
/// contain are not." So a name leads to the new table at once, with its rows as they were at the reader's snapshot:
/// every row must be committed before the oldest snapshot was taken.
struct SnapshotPatience {
  /// The last row is no younger than this position; nil before the first wait.
  private var settled: Int64?
  private var seconds = 0.5

  /// Waits until nobody has a snapshot older than the rows up to a position; each wait is longer.
  mutating func wait(
    upTo position: Int64,
    _ store: StoreConnection
  ) throws {
    if settled == position { return }
    if let oldest = try store.oldestSnapshot(waitingSeconds: seconds) {
      seconds *= 2
      guard seconds < Self.longestSeconds else { throw StoreConnection.snapshotsInTheWay(oldest) }
      throw SwapObstacle.snapshot(oldest)
    }
    settled = position
  }

  /// The first wait, for sessions that were open during the load. It delays nobody.
  mutating func waitLong(
    upTo position: Int64,
    _ store: StoreConnection
  ) throws {
    if let oldest = try store.oldestSnapshot(waitingSeconds: 60) {
      throw StoreConnection.snapshotsInTheWay(oldest)
    }
    settled = position
  }

  private static let longestSeconds = 60.0
}

extension StoreConnection {
  /// Swaps a finished generation in for the live one.
  ///
  /// The last events are applied and committed before the swap, while the catch-up of the live generation pauses.
  /// Otherwise the live one would be ahead of the new one again at the end of each wait for snapshots, and a reader's
  /// snapshot could show the new model without events that the old one had. The catch-up resumes after a failed
  /// attempt.
  func goLive(_ part: inout BuildPart, besides tried: inout Set<ByteString>) throws -> Generation {
    var patience = SnapshotPatience()
    let (file, limit) = (part.build.file, part.build.options.finalPosition)
    var missing: [ReadModelObject] = []
    atSwapStep?(.begun)
    try part.apply(upTo: try finalPosition(for: part.build.options), connection)
    try patience.waitLong(upTo: part.position, self)
    atSwapStep?(.waited)
    try whenUnlocked("tables of projection \(file.name)") {
      try addToLoadedTables(of: part.build.generation, besides: &tried)
      try part.apply(upTo: try finalPosition(for: part.build.options), connection)
      try AdvisoryLock.holdAlone(file.lockOfSwap, connection) {
        // The events of the live generation are final, so there is nothing to wait for here.
        if let end = try checkpointWithinHistory(of: file.name) {
          try part.apply(upTo: min(end, limit), connection)
        }
        atSwapStep?(.current)
        try patience.wait(upTo: part.position, self)
        atSwapStep?(.settled)
        missing = try connection.transaction {
          try part.build.generation.lockOwnTables(connection)
          try connection.execute("SET LOCAL lock_timeout = '300ms'")
          _ = try lockProjection(file.name)
          // Moving the checkpoint by hand does not share the lock.
          if let end = try checkpointWithinHistory(of: file.name), min(end, limit) > part.position {
            throw SwapObstacle.overtaken
          }
          return try swap(part, keepsOwnGrants: file.grants)
        }
      }
    }
    atSwapStep?(.swapped)
    warn(ofMissing: missing, in: file.name)
    return part.build.generation
  }

  private func swap(_ part: BuildPart, keepsOwnGrants: Bool) throws -> [ReadModelObject] {
    let (new, old) = (part.build.generation, try liveGeneration(of: part.build.file.name))
    let missing = try swap(new, keepsOwnGrants: keepsOwnGrants)
    try audit(
      .swap,
      .projection(new.projection),
      "'from', \(old?.number), 'to', \(new.number), 'events', \(new.events), 'position', \(new.position)"
    )
    return missing
  }

  /// The position of the live generation. Nil if there is none, or if events were removed so that it is ahead of all
  /// existing ones: the new generation must not follow it there.
  private func checkpointWithinHistory(of projection: String) throws -> Int64? {
    guard let live = try liveGeneration(of: projection) else { return nil }
    return try live.position <= readHead().position ?? .min ? live.position : nil
  }

  /// Says what a rollback will not bring back.
  func warn(ofMissing missing: [ReadModelObject], in projection: String) {
    guard !missing.isEmpty else { return }
    notify(
      "the generation of projection \(projection) that was live had lost \(missing.phrase), so it cannot go live again"
    )
  }

  /// Tries again while other sessions' locks or snapshots block it, and then gives up.
  ///
  /// A waiting ALTER TABLE makes all later readers wait, so each attempt waits briefly, and the pauses, with jitter,
  /// are longer than the waits.
  func whenUnlocked<T>(
    _ subject: String,
    for purpose: String = "the swap",
    _ body: () throws -> T
  ) throws -> T {
    var obstacle: SwapObstacle?
    for _ in 1...Self.swapAttempts {
      do {
        return try body()
      } catch let error as PostgresError
        where [SQLState.lockNotAvailable, SQLState.deadlockDetected].contains(error.sqlState)
      {
        obstacle = nil
      } catch let error as SwapObstacle {
        obstacle = error
      }
      atSwapStep?(.again)
      try connection.canceller.sleep(for: .seconds(.random(in: 0.3...0.7)))
    }
    if case .snapshot(let transaction) = obstacle { throw Self.snapshotsInTheWay(transaction) }
    throw EventStoreError(
      .locked,
      "the \(subject) were in use, so \(purpose) was abandoned",
      detail: "Nothing was changed, and earlier work is kept.",
      hint: "Run the same command again; it continues where it stopped."
    )
  }

  /// With 0.3 s for the locks and 0.3 to 0.7 s between the attempts, about 16 s.
  private static let swapAttempts = 20

  /// Waits for all transactions that may have a snapshot now.
  ///
  /// - Returns: one that still has it when the seconds are over.
  func oldestSnapshot(waitingSeconds: Double) throws -> OpenTransaction? {
    try waitForEnd(
      purpose: "reads a state older than the new tables",
      limitSeconds: waitingSeconds
    ) {
      try openTransactions(.olderTransactions, [])
    }.first
  }

  static func snapshotsInTheWay(_ oldest: OpenTransaction) -> EventStoreError {
    EventStoreError(
      .locked,
      "a transaction reads a state older than the new tables, so the swap was abandoned",
      detail: oldest.summary,
      hint: "Run the same command again after it has ended; it only swaps."
    )
  }
}

extension BuildPart {
  /// Applies events in chunks, and commits each.
  fileprivate mutating func apply(upTo end: Int64, _ connection: Connection) throws {
    while position < end { try advance(upTo: end, connection) }
  }
}
