package import LibPQ

/// An event store: one table of events in a PostgreSQL database.
///
/// It connects when the first operation needs it and then keeps that one connection. While the server works, an
/// operation blocks a thread of the store, and never one of Swift's cooperative pool; several stores work side by side.
/// Cancelling the task that waits for an operation cancels the statement on the server and rolls it back.
///
/// ```swift
/// let store = try EventStore(connecting: "host=/run/postgresql dbname=shop")
/// try await store.initialize()
/// ```
public actor EventStore {
  /// The table that holds the events.
  public nonisolated let table: QualifiedName
  /// How the events are read when the table belongs to another framework; such a store is never written to.
  public nonisolated let foreign: Layout?
  /// The FROM item that reads the events as they are stored.
  nonisolated var relation: String { foreign?.relation ?? table.sql }

  private nonisolated let executor = BlockingExecutor()
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  let parameters: ConnectionParameters
  nonisolated let canceller: Canceller
  let session: Session
  private var hand: StoreConnection?
  /// The upcasters that are applied to events when they are read; see ``use(_:)``.
  var upcasters = Upcasters.none

  /// The archive that is read too; see ``includeArchive()``.
  var archive: ArchiveTable? {
    didSet { hand = nil }
  }

  /// See ``giveReason(_:)``.
  var reason: String? {
    didSet { hand = nil }
  }

  /// See ``limitWaiting(to:)``.
  private var writerLimit: Duration?
  /// See ``limitStaleness(to:)``.
  private var mostStaleness: Duration?

  /// See ``restrictToReading(statementTimeout:lockTimeout:)``.
  private var limits: (statement: Duration, lock: Duration)?

  /// Called, on the store's thread, with what an operator may want to know during an operation.
  private var reportNotice: (@Sendable (String) -> Void)?

  /// Called, on the store's thread, between the steps of a swap: tests open readers there.
  var atSwapStep: (@Sendable (SwapStep) -> Void)? {
    didSet { hand = nil }
  }

  /// A store in the database that libpq finds.
  ///
  /// - Parameters:
  ///   - conninfo: a database name, a `keyword=value` string or a `postgresql://` URI. What it leaves open, or all if
  ///     nil, comes from the PG* variables, service files and .pgpass, as with psql.
  ///   - table: the table of events.
  /// - Throws: ``EventStoreError`` when the process has no file descriptors left.
  public init(connecting conninfo: String? = nil, table: QualifiedName = .events) throws {
    try self.init(ConnectionParameters(database: conninfo), table: table)
  }

  /// A store of another framework, in the database that libpq finds.
  ///
  /// - Parameters:
  ///   - conninfo: as for ``init(connecting:table:)``.
  ///   - layout: how its events are read.
  /// - Throws: ``EventStoreError`` when the process has no file descriptors left.
  public init(connecting conninfo: String? = nil, layout: Layout) throws {
    try self.init(ConnectionParameters(database: conninfo), layout: layout)
  }

  /// - Parameter layout: replaces the table.
  package init(
    _ parameters: ConnectionParameters,
    table: QualifiedName = .events,
    layout: Layout? = nil
  ) throws {
    self.parameters = parameters
    self.table = layout?.tables[0] ?? table
    foreign = layout
    do { canceller = try Canceller() } catch { throw EventStoreError(error) }
    session = Session(parameters, canceller: canceller)
  }

  /// Sets who is told of events during an operation, for example that a reader waits for a writer.
  public func onNotice(_ report: (@Sendable (String) -> Void)?) {
    reportNotice = report
    hand = nil
  }

  func notify(_ text: String) {
    reportNotice?(text)
  }

  /// How many events this store has returned that it cannot read: the layout cannot cast their payload or metadata to
  /// JSON, and it is `{"unreadable": …}` with the server's message.
  public var unreadableEvents: Int { hand?.unreadableEvents ?? 0 }

  /// Applies upcasters to everything that this store reads from now on: events, projections, states.
  public func use(_ upcasters: Upcasters) {
    self.upcasters = upcasters
    hand = nil
  }

  private func read(_ archive: ArchiveTable?) { self.archive = archive }

  /// Limits how long an operation waits for a transaction that writes events and must end before the operation
  /// remembers a position; then it throws `locked`. With nil, the default, it waits until the transaction ends.
  public func limitWaiting(to limit: Duration?) {
    writerLimit = limit
    hand = nil
  }

  /// Sets how far a standby may be behind its primary. An operation throws `stale` on a standby that is further behind,
  /// that cannot tell, or whose replay is paused; so does a following read that falls behind. With nil, the default,
  /// there is no limit. A primary is always accepted.
  public func limitStaleness(to limit: Duration?) {
    mostStaleness = limit
    hand = nil
  }

  /// Makes the server refuse all writes and end what takes long, as long as this store is used: an operation then
  /// throws an error with ``EventStoreError/isOutOfTime``.
  ///
  /// - Parameters:
  ///   - statementTimeout: how long each statement may take.
  ///   - lockTimeout: how long it may wait for a lock.
  public func restrictToReading(statementTimeout: Duration, lockTimeout: Duration) {
    limits = (statementTimeout, lockTimeout)
    func milliseconds(_ duration: Duration) -> String { "\(max(1, Int64(duration / .milliseconds(1))))" }
    session.limits = [
      // The second setting is for a pooler, behind which settings belong to a transaction that has begun.
      SessionSetting("default_transaction_read_only", "on"), SessionSetting("transaction_read_only", "on"),
      SessionSetting("statement_timeout", milliseconds(statementTimeout)),
      SessionSetting("lock_timeout", milliseconds(lockTimeout)),
    ]
    session.disconnect()
    hand = nil
  }

  /// Runs `body` on the connection, opening one if there is none.
  ///
  /// Every public operation goes through here exactly once, so that cancellation and errors are handled in one place.
  ///
  /// - Parameters:
  ///   - rows: whether row security may leave rows out.
  ///   - isGoingOn: whether it is part of an operation that has already checked the delay of a standby.
  func perform<T: Sendable>(
    seeing rows: RowVisibility = .all,
    goingOn isGoingOn: Bool = false,
    _ body: (StoreConnection) throws -> T
  ) async throws -> T {
    canceller.reset()
    return try await withTaskCancellationHandler {
      do {
        try Task.checkCancellation()
        let hand = try hand(seeing: rows)
        do {
          if !isGoingOn { try hand.requireFresh() }
          return try body(hand)
        } catch let error as EventStoreError { throw hand.addingArchive(to: hand.addingReplay(to: error)) }
      } catch let error as PostgresError {
        guard Task.isCancelled else { throw failure(error, seeing: rows) }
        // That a connection was given up says more than that the statement was cancelled.
        if error.kind != .statement { notify(error.message) }
        throw CancellationError()
      } catch let error as SQLFileError {
        throw EventStoreError(error)
      }
    } onCancel: {
      canceller.cancel()
    }
  }

  /// What an error of the database means. If a layout cannot read a payload, it names the event, or how to find it.
  private func failure(_ error: PostgresError, seeing rows: RowVisibility) -> EventStoreError {
    var failure = EventStoreError(error)
    guard foreign != nil, error.kind == .statement, error.isWrongValue else { return failure }
    // An error of another kind comes from elsewhere, such as a condition of the operator's.
    if let event = try? hand(seeing: rows).firstUnreadableEvent(), event.fails(as: error) {
      failure.detail = event.message
      failure.hint = UnreadableEvent.advice
      return failure
    }
    failure.hint = failure.hint ?? "Where the layout cannot read a payload, \(.replay()) names the event."
    return failure
  }

  /// Runs work of several operations while the session holds locks that were taken for it, and then frees them; also in a
  /// cancelled task.
  nonisolated(nonsending) func holding<T>(_ locks: [String], _ work: () async throws -> T) async throws -> T {
    do {
      let value = try await work()
      await releaseLocks(locks)
      return value
    } catch {
      await releaseLocks(locks)
      throw error
    }
  }

  /// A session that has ended has freed its locks.
  private func releaseLocks(_ names: [String]) {
    guard let connection = session.openConnection else { return }
    for name in names { AdvisoryLock.release(name, connection) }
  }

  /// Another store of the same table with its own connection, for work side by side.
  package func sibling() async throws -> EventStore {
    let sibling = try EventStore(parameters, table: table, layout: foreign)
    await sibling.onNotice(reportNotice)
    await sibling.use(upcasters)
    await sibling.read(archive)
    await sibling.giveReason(reason)
    await sibling.limitWaiting(to: writerLimit)
    await sibling.limitStaleness(to: mostStaleness)
    if let limits {
      await sibling.restrictToReading(statementTimeout: limits.statement, lockTimeout: limits.lock)
    }
    return sibling
  }

  /// The open connection with its operations; a broken connection is replaced.
  private func hand(seeing rows: RowVisibility) throws(PostgresError) -> StoreConnection {
    let connection = try session.connection(seeing: rows)
    if let hand, hand.connection === connection { return hand }
    let report = reportNotice
    let opened = StoreConnection(
      connection,
      of: session,
      table: table,
      layout: foreign,
      archive: archive,
      upcasters: upcasters,
      reason: reason,
      writerLimit: writerLimit,
      mostStaleness: mostStaleness,
      notify: { report?($0) },
      atSwapStep: atSwapStep,
      succeeding: hand
    )
    hand = opened
    return opened
  }

  /// The parameters as libpq resolves them, and where each came from; also when there is no connection.
  package func connectionSettings() -> [ConnectionSetting] { session.settings }
}
