package import LibPQ

/// An event store: one table of events in a PostgreSQL database.
///
/// It connects when the first operation needs it and then keeps that one connection. The operations block a thread
/// of the store's own while the server works, never one of Swift's cooperative pool; several stores work side by side.
/// Cancelling the task that waits for an operation cancels the statement on the server and rolls it back.
///
/// ```swift
/// let store = try EventStore(connecting: "host=/run/postgresql dbname=shop")
/// try await store.initialize()
/// ```
public actor EventStore {
  /// The table that holds the events.
  public nonisolated let table: QualifiedName
  /// How the events are read when the table is somebody else's; such a store is never written to.
  public nonisolated let foreign: Layout?
  /// The FROM item that reads the events as they are stored.
  nonisolated var relation: String { foreign?.relation ?? table.sql }

  private nonisolated let executor = BlockingExecutor()
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  let parameters: ConnectionParameters
  nonisolated let canceller: Canceller
  let session: Session
  private var hand: StoreConnection?
  /// What events go through when they are read; see ``use(_:)``.
  var upcasters = Upcasters.none

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

  /// Called, on the store's thread, with what an operator may want to know while an operation goes on.
  private var reportNotice: (@Sendable (String) -> Void)?

  /// Called, on the store's thread, between the steps of a swap: tests open readers there.
  var atSwapStep: (@Sendable (SwapStep) -> Void)? {
    didSet { hand = nil }
  }

  /// A store in the database that libpq finds.
  ///
  /// - Parameters:
  ///   - conninfo: a database name, a `keyword=value` string or a `postgresql://` URI; what it leaves open, and all
  ///     of it when nil, comes from the PG* variables, service files and .pgpass, as with psql.
  ///   - table: the table of events.
  /// - Throws: ``EventStoreError`` when the process has no file descriptors left.
  public init(connecting conninfo: String? = nil, table: QualifiedName = .events) throws {
    try self.init(ConnectionParameters(database: conninfo), table: table)
  }

  /// A store of somebody else's, in the database that libpq finds.
  ///
  /// - Parameters:
  ///   - conninfo: as for ``init(connecting:table:)``.
  ///   - layout: how its events are read.
  /// - Throws: ``EventStoreError`` when the process has no file descriptors left.
  public init(connecting conninfo: String? = nil, layout: Layout) throws {
    try self.init(ConnectionParameters(database: conninfo), layout: layout)
  }

  /// - Parameter layout: takes the place of the table.
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

  /// Sets who is told of what goes on, for example that a reader waits for a writer.
  public func onNotice(_ report: (@Sendable (String) -> Void)?) {
    reportNotice = report
    hand = nil
  }

  func notify(_ text: String) {
    reportNotice?(text)
  }

  /// How many events this store has given that it cannot read: their payload, or metadata, is no JSON to the layout, and is
  /// `{"unreadable": …}` with the server's message.
  public var unreadableEvents: Int { hand?.unreadableEvents ?? 0 }

  /// Makes all reading of this store go through upcasters from now on: events, projections, states.
  public func use(_ upcasters: Upcasters) {
    self.upcasters = upcasters
    hand = nil
  }

  /// Sets how long an operation waits for a transaction that writes events, which it needs to have ended before it
  /// remembers a position; then it throws `locked`. With nil, as at first, it waits until the transaction ends.
  public func limitWaiting(to limit: Duration?) {
    writerLimit = limit
    hand = nil
  }

  /// Sets how far a standby may be behind its primary: an operation on one that is further behind, that cannot tell, or whose
  /// replay is paused throws `stale`, and so does a following read that falls behind. With nil, as at first, any will do; a
  /// primary always does.
  public func limitStaleness(to limit: Duration?) {
    mostStaleness = limit
    hand = nil
  }

  /// Makes the server refuse whatever writes, and end what takes long, for as long as this store is used: an operation then
  /// throws an error with ``EventStoreError/isOutOfTime``.
  ///
  /// - Parameters:
  ///   - statementTimeout: how long each statement may take.
  ///   - lockTimeout: how long it may wait for a lock.
  public func restrictToReading(statementTimeout: Duration, lockTimeout: Duration) {
    limits = (statementTimeout, lockTimeout)
    func milliseconds(_ duration: Duration) -> String { "\(max(1, Int64(duration / .milliseconds(1))))" }
    session.limits = [
      // The second one is for a pooler, behind which settings are those of a transaction that has begun.
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
  ///   - rows: what row security may leave out.
  ///   - isGoingOn: whether it is a part of something for which the delay of a standby was looked at.
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
        } catch let error as EventStoreError { throw hand.addingReplay(to: error) }
      } catch let error as PostgresError {
        guard Task.isCancelled else { throw failure(error, seeing: rows) }
        // A connection that was given up says more than that the statement was cancelled.
        if error.kind != .statement { notify(error.message) }
        throw CancellationError()
      } catch let error as SQLFileError {
        throw EventStoreError(error)
      }
    } onCancel: {
      canceller.cancel()
    }
  }

  /// What an error of the database means; where a layout cannot read a payload, which, or how to find it.
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

  /// Frees locks that this session holds, also in a cancelled task; a session that has ended has freed them.
  func releaseLocks(_ names: [String]) {
    guard let connection = session.openConnection else { return }
    for name in names { AdvisoryLock.release(name, connection) }
  }

  /// Another store of the same table with a connection of its own, for work side by side.
  package func sibling() async throws -> EventStore {
    let sibling = try EventStore(parameters, table: table, layout: foreign)
    await sibling.onNotice(reportNotice)
    await sibling.use(upcasters)
    await sibling.giveReason(reason)
    await sibling.limitWaiting(to: writerLimit)
    await sibling.limitStaleness(to: mostStaleness)
    if let limits {
      await sibling.restrictToReading(statementTimeout: limits.statement, lockTimeout: limits.lock)
    }
    return sibling
  }

  /// What works on the open connection; a broken one is replaced.
  private func hand(seeing rows: RowVisibility) throws(PostgresError) -> StoreConnection {
    let connection = try session.connection(seeing: rows)
    if let hand, hand.connection === connection { return hand }
    let report = reportNotice
    let opened = StoreConnection(
      connection,
      of: session,
      table: table,
      layout: foreign,
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

  /// What libpq makes of the parameters, and who decided it; also when there is no connection.
  package func connectionSettings() -> [ConnectionSetting] { session.settings }
}
