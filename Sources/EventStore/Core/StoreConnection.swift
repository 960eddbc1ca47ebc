internal import LibPQ

/// The operations on a store's open connection; ``EventStore`` is the front for them.
///
/// It belongs to the thread of its store, and lives as long as its connection; after a loss there is a new one.
final class StoreConnection {
  let connection: Connection
  /// Opens the connection again after a loss.
  let session: Session
  /// The table that holds the events.
  let table: QualifiedName
  /// How the events are read when the table belongs to another framework.
  let foreign: Layout?
  /// The archive that is read together with the table; nil to read the table alone.
  let archive: ArchiveTable?
  /// The upcasters that are applied to events when they are read.
  let upcasters: Upcasters
  /// Why an operator changes something, for the audit.
  let reason: String?
  /// How long to wait for a transaction that writes events; nil means until it ends.
  let writerLimit: Duration?
  /// How far a standby may be behind its primary; nil for any delay.
  let mostStaleness: Duration?
  /// Called with what an operator may want to know during an operation.
  let notify: (String) -> Void
  /// Called between the steps of a swap; see ``EventStore/atSwapStep``.
  let atSwapStep: ((SwapStep) -> Void)?
  private var knownTable: EventsTable?
  private var said: Set<Notice> = []
  /// See ``denseStart()``.
  var denseUpTo: Int64?
  /// Events that were returned with a placeholder for an unreadable payload or metadata.
  var unreadableEvents: Int
  /// See ``appendStatements()``.
  var knownStatements: AppendStatements?

  init(
    _ connection: Connection,
    of session: Session,
    table: QualifiedName,
    layout: Layout?,
    archive: ArchiveTable? = nil,
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
    self.archive = archive
    self.upcasters = upcasters
    self.reason = reason
    self.writerLimit = writerLimit
    self.mostStaleness = mostStaleness
    self.notify = notify
    self.atSwapStep = atSwapStep
    // Facts that are known already need no connection, which could be lost again.
    knownTable = lost?.archive == archive ? lost?.knownTable : nil
    said = lost?.said ?? []
    denseUpTo = lost?.denseUpTo
    unreadableEvents = lost?.unreadableEvents ?? 0
    knownStatements = lost?.knownStatements
  }

  /// The same on the same connection, without the archive.
  var readingTableAlone: StoreConnection {
    StoreConnection(
      connection,
      of: session,
      table: table,
      layout: foreign,
      upcasters: upcasters,
      reason: reason,
      writerLimit: writerLimit,
      mostStaleness: mostStaleness,
      notify: notify
    )
  }

  /// Ends the wait of the connection.
  var canceller: Canceller { connection.canceller }

  /// The FROM item that reads the events as they are stored.
  var relation: String { archive?.union ?? foreign?.relation ?? table.sql }

  /// The form of the events table; read once.
  func eventsTable() throws -> EventsTable {
    if let knownTable { return knownTable }
    let found =
      try foreign.map { try EventsTable.find($0, connection) } ?? EventsTable.find(table, connection)
    guard var events = found else { throw EventsTable.missing(table) }
    if let archive { events = events.including(archive) }
    if !upcasters.isEmpty { events = try events.upcast(by: upcasters, connection) }
    knownTable = events
    return events
  }

  /// Notices that are given once, however often the reason occurs.
  enum Notice {
    /// All events are read because there is no index.
    case pass
    case doubt
    case writersOfPrimary
    case oldWatermark
  }

  func notifyOnce(_ notice: Notice, _ text: String) {
    if said.insert(notice).inserted { notify(text) }
  }

  /// Says, once, why it is not proved that positions are final.
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
