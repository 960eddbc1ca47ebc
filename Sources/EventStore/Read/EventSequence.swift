internal import LibPQ

/// The events that a query matches, fetched page by page as they are asked for: a slow consumer is not overrun, and
/// memory holds one page.
public struct EventSequence: AsyncSequence, Sendable {
  public typealias Element = Event

  let store: EventStore
  let query: EventQuery

  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(store: store, query: query)
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    let store: EventStore
    let query: EventQuery
    private var pages: EventPages?
    private var events: ArraySlice<Event> = []

    init(store: EventStore, query: EventQuery) {
      self.store = store
      self.query = query
    }

    /// - Throws: ``EventStoreError``, on the first call `notFound` for a name that the store does not have.
    public mutating func next() async throws -> Event? {
      while events.isEmpty {
        if pages?.isExhausted == true { return nil }
        let page = try await store.nextPage(query, pages)
        pages = page.pages
        events = page.events[...]
      }
      return events.removeFirst()
    }
  }
}

extension EventStore {
  /// The events that match, as a sequence to loop over.
  ///
  /// ```swift
  /// for try await event in store.events(matching: EventQuery(aggregateID: "order-42")) { … }
  /// ```
  public nonisolated func events(matching query: EventQuery) -> EventSequence {
    EventSequence(store: self, query: query)
  }

  /// Reads one page; `pages` is nil before the first.
  fileprivate func nextPage(
    _ query: EventQuery,
    _ pages: EventPages?
  ) async throws -> (pages: EventPages, events: [Event]) {
    try await perform { connection in
      var pages = try pages ?? openPages(query, connection)
      guard !pages.isExhausted else { return (pages, []) }
      try pages.send(connection)
      let page = try pages.receive(connection)
      return (pages, (0..<page.rowCount).map { page.event($0) })
    }
  }
}

extension QueryResult {
  /// A row of ``EventsTable/columns``.
  borrowing func event(_ row: Int) -> Event {
    typealias Column = EventsTable.Column
    return Event(
      id: eventID(row, Column.id),
      aggregateID: string(row, Column.aggregateID),
      type: string(row, Column.eventType),
      data: String(utf8Bytes: jsonb(row, Column.data)),
      version: Int(int32(row, Column.version)),
      timestamp: Timestamp(microseconds: int64(row, Column.timestamp)),
      metadata: isNull(row, Column.metadata) ? nil : String(utf8Bytes: jsonb(row, Column.metadata)),
      position: optionalInt64(row, Column.position)
    )
  }

  borrowing func eventID(_ row: Int, _ column: Int) -> EventID {
    let bytes = bytes(row, column)
    return EventID(
      high: UInt64(bigEndian: bytes.load(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.load(at: 8, as: UInt64.self))
    )
  }
}
