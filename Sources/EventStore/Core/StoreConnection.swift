internal import LibPQ

/// What works on a store's open connection: the hand of ``EventStore``, which is its front.
///
/// It belongs to the thread of its store, and lives as long as its connection: after a loss the store makes another.
final class StoreConnection {
  let connection: Connection
  /// Opens the connection again after a loss.
  let session: Session
  /// The table that holds the events.
  let table: QualifiedName
  /// How the events are read when the table is somebody else's.
  let foreign: Layout?
  /// What events go through when they are read.
  let upcasters: Upcasters
  /// Why an operator changes something, for the audit.
  let reason: String?
  /// How long to wait for a transaction that writes events; nil until it ends.
  let writerLimit: Duration?
  /// How far a standby may be behind its primary; nil for any delay.
  let mostStaleness: Duration?
  /// Called with what an operator may want to know while an operation goes on.
  let notify: (String) -> Void
  /// Called between the steps of a swap; see ``EventStore/atSwapStep``.
  let atSwapStep: ((SwapStep) -> Void)?
  private var knownTable: EventsTable?
  private var said: Set<Notice> = []
  /// See ``denseStart()``.
  var denseUpTo: Int64?
  /// Events that were given with what is known in the place of a payload or metadata.
  var unreadableEvents: Int
  /// See ``appendStatements()``.
  var knownStatements: AppendStatements?

  init(
    _ connection: Connection,
    of session: Session,
    table: QualifiedName,
    layout: Layout?,
    upcasters: Upcasters,
    reason: String? = nil,
    writerLimit: Duration? = nil,
    mostStaleness: Duration? = nil,
    notify: @escaping (String) -> Void,
    atSwapStep: ((SwapStep) -> Void)? = nil,
    succeeding lost: StoreConnection? = nil
  ) {
    self.connection = connection
    self.session = session
    self.table = table
    foreign = layout
    self.upcasters = upcasters
    self.reason = reason
    self.writerLimit = writerLimit
    self.mostStaleness = mostStaleness
    self.notify = notify
    self.atSwapStep = atSwapStep
    // What was looked up needs no connection that could be lost once more.
    knownTable = lost?.knownTable
    said = lost?.said ?? []
    denseUpTo = lost?.denseUpTo
    unreadableEvents = lost?.unreadableEvents ?? 0
    knownStatements = lost?.knownStatements
  }

  /// Ends what the connection waits for.
  var canceller: Canceller { connection.canceller }

  /// The FROM item that reads the events as they are stored.
  var relation: String { foreign?.relation ?? table.sql }

  /// What the events table looks like; read once.
  func eventsTable() throws -> EventsTable {
    if let knownTable { return knownTable }
    let found =
      try foreign.map { try EventsTable.find($0, connection) } ?? EventsTable.find(table, connection)
    guard var events = found else { throw EventsTable.missing(table) }
    if !upcasters.isEmpty { events = try events.upcast(by: upcasters, connection) }
    knownTable = events
    return events
  }

  /// What is said once, however often it is met.
  enum Notice {
    /// That all events are read for want of an index.
    case pass
    case doubt
    case writersOfPrimary
    case oldWatermark
  }

  func notifyOnce(_ notice: Notice, _ text: String) {
    if said.insert(notice).inserted { notify(text) }
  }

  /// Says why it is not proved that positions are final.
  func doubtOnce(_ doubt: PositionFault) {
    notifyOnce(
      .doubt,
      "positions of layout \(foreign?.name ?? "") are assumed to be final: \(doubt.message)"
    )
  }

  /// Forgets what ``eventsTable()`` read, after the table was changed.
  func forgetEventsTable() {
    knownTable = nil
    knownStatements = nil
  }
}
