internal import LibPQ

/// A long read, page by page. Each page is a statement that continues after the last one, so the read holds no snapshot
/// (which would hinder vacuum, or be cancelled on a standby), and only one page is in memory.
struct EventPages: Sendable {
  let query: EventQuery
  let table: EventsTable
  let order: Order
  let ties: Ties
  /// Whether a page has the hashes of the ids.
  let isRemembered: Bool
  /// The last event that was read.
  private(set) var last: Key?
  /// Events that the limit still allows; below 0 if events of the last place exceeded it.
  private(set) var remaining: Int?
  /// The number of unwanted events at the start of the next page.
  private(set) var skippedRows: Int
  var size: PageSize
  private(set) var isExhausted = false
  /// The places of the events, if they are looked up; then call ``find(_:)`` before each page.
  var search: ContentSearch?
  /// Events of the last page that have a placeholder.
  var unreadable: [UnreadableEvent] = []

  enum Order {
    case position
    case stream
    case aggregates
  }

  /// How several events at one place are treated, as in a damaged store or a layout.
  enum Ties {
    /// There are none.
    case none
    /// The limit counts events, and may end the read between them.
    case cut
    /// They stay together, even beyond the limit: for a reader that continues after the last place.
    case kept
  }

  struct Key {
    let position: Int64?
    let aggregateID: String
    let version: Int32
  }

  init(
    _ query: EventQuery,
    in table: EventsTable,
    size: PageSize = PageSize(bytes: 4 << 20),
    ties: Ties = .none,
    skipping skippedRows: Int = 0,
    remembered isRemembered: Bool = false,
    search: ContentSearch? = nil
  ) {
    self.query = query
    self.table = table
    self.size = size
    self.ties = ties
    self.isRemembered = isRemembered
    self.search = search
    self.skippedRows = skippedRows
    order =
      switch query.order {
      case .position where table.hasPosition: .position
      case .version where query.aggregateID != nil: .stream
      default: .aggregates
      }
    remaining = query.limit
    isExhausted = remaining == 0
  }

  /// Looks up the places of the next page, if places are looked up at all.
  mutating func find(_ store: StoreConnection) throws {
    try search?.find(query, in: table, store)
  }

  /// Asks the server for the next page. Call ``receive(_:)`` next.
  func send(_ connection: Connection) throws(PostgresError) {
    let end = isByRange ? try endOfRange(connection) : nil
    let statement = statement(of: columns, from: table.source, upTo: end)
    if query.hasSQL { return try connection.send(statement, readOnlyWithin: EventQuery.sqlLimit) }
    // Not prepared: a generic plan does not know how frequent the given types are.
    try connection.send(statement.text, statement.parameters)
  }

  /// Waits for the requested page, and moves on after it.
  mutating func receive(_ store: StoreConnection) throws -> QueryResult {
    unreadable = []
    let page = try receivePage(store)
    do { try Self.requireComplete(page) } catch {
      throw try store.ruleWithoutPayload(in: page) ?? error
    }
    advance(past: page)
    return page
  }

  private mutating func receivePage(_ store: StoreConnection) throws -> QueryResult {
    do { return try store.connection.receive() } catch {
      guard let page = try readablePage(store, after: error) else { throw error }
      return page
    }
  }

  /// A table whose columns are not all NOT NULL may hold rows that are not events.
  static func requireComplete(_ page: borrowing QueryResult) throws(EventStoreError) {
    typealias Column = EventsTable.Column
    for row in 0..<page.rowCount {
      for column in Column.required where page.isNull(row, column.index) {
        let version = page.optionalInt32(row, Column.version).map { ", version \($0)," } ?? ""
        throw .incomplete(
          "an event of \(page.string(row, Column.aggregateID))\(version)",
          without: column.name
        )
      }
    }
  }

  /// Limits the rows of a page.
  mutating func limitRows(to maximum: Int) {
    size.limit(to: maximum)
  }

  var rowsAsked: Int { min(size.rows, remaining ?? .max, search?.places.count ?? .max) }

  /// Moves on behind a page.
  mutating func advance(past page: borrowing QueryResult) {
    let rows = page.rowCount
    isExhausted = rows < rowsAsked || rows >= remaining ?? .max
    if var search {
      search.drop(rowsAsked)
      isExhausted = search.isComplete && search.places.isEmpty || rows >= remaining ?? .max
      self.search = search
    }
    remaining = remaining.map { $0 - rows }
    skippedRows = 0
    guard rows > 0 else { return }
    last = Key(
      position: page.optionalInt64(rows - 1, EventsTable.Column.position),
      aggregateID: page.string(rows - 1, EventsTable.Column.aggregateID),
      version: page.int32(rows - 1, EventsTable.Column.version)
    )
    size.learn(rows: rows, bytes: page.memoryBytes)
  }
}

/// How many events a page has, so that it takes about as much memory as planned. It begins small, since the size of the
/// events is not known before some were read.
struct PageSize {
  private static let maximumRows = 8192

  private let bytes: Int
  private(set) var rows = 128

  init(bytes: Int) {
    self.bytes = bytes
  }

  mutating func limit(to maximum: Int) {
    rows = max(1, min(rows, maximum))
  }

  /// Takes the rows of the last page as an estimate of the next ones.
  mutating func learn(rows seen: Int, bytes seenBytes: Int) {
    rows = max(1, min(bytes * seen / max(seenBytes, 1), rows * 4, Self.maximumRows))
  }
}
