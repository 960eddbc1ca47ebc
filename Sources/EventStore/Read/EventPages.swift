internal import LibPQ

/// A long read, page by page: each page is a statement of its own that goes on where the one before ended, so that
/// the read holds no snapshot (which would keep vacuum from its work, or be cancelled on a standby) and memory for
/// one page only.
struct EventPages: Sendable {
  let query: EventQuery
  let table: EventsTable
  let order: Order
  /// The last event that was read.
  private(set) var last: Key?
  private(set) var remaining: Int?
  private var pageRows = 128
  private(set) var isExhausted = false

  enum Order {
    case position
    case stream
    case aggregates
  }

  struct Key {
    let position: Int64?
    let aggregateID: String
    let version: Int32
  }

  /// A page's memory is aimed at, in bytes, and its most rows.
  private static let pageBytes = 4 << 20
  private static let maximumPageRows = 8192

  init(_ query: EventQuery, in table: EventsTable) {
    self.query = query
    self.table = table
    order =
      switch query.order {
      case .position where table.hasPosition: .position
      case .version where query.aggregateID != nil: .stream
      default: .aggregates
      }
    remaining = query.limit
    isExhausted = remaining == 0
  }

  /// Asks the server for the next page; ``receive(_:)`` must follow.
  func send(_ connection: Connection) throws(PostgresError) {
    let statement = self.statement
    // Not prepared: a generic plan knows nothing of how frequent the types asked for are.
    try connection.send(statement.sql, statement.parameters)
  }

  /// Waits for the page that was asked for, and moves on behind it.
  mutating func receive(_ connection: Connection) throws(PostgresError) -> QueryResult {
    let page = try connection.receive()
    advance(past: page)
    return page
  }

  /// Asks for no more rows a page than that.
  mutating func limitRows(to maximum: Int) {
    pageRows = max(1, min(pageRows, maximum))
  }

  var rowsAsked: Int { min(pageRows, remaining ?? .max) }

  private mutating func advance(past page: borrowing QueryResult) {
    let rows = page.rowCount
    isExhausted = rows < rowsAsked || rows == remaining
    remaining = remaining.map { $0 - rows }
    guard rows > 0 else { return }
    last = Key(
      position: page.optionalInt64(rows - 1, EventsTable.Column.position),
      aggregateID: page.string(rows - 1, EventsTable.Column.aggregateID),
      version: page.int32(rows - 1, EventsTable.Column.version)
    )
    let fitting = Self.pageBytes * rows / max(page.memoryBytes, 1)
    pageRows = max(1, min(fitting, pageRows * 4, Self.maximumPageRows))
  }
}
