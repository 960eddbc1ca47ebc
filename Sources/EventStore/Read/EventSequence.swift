internal import LibPQ

/// The events that match a query, fetched page by page on demand: a slow consumer is not overrun, and memory holds one
/// page.
public struct EventSequence: AsyncSequence, Sendable {
  public typealias Element = Event

  let store: EventStore
  let reader: EventReader

  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(store: store, reader: reader)
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    let store: EventStore
    private var reader: EventReader
    private var pause = PollingPause()
    private var events: ArraySlice<Event> = []

    init(store: EventStore, reader: EventReader) {
      self.store = store
      self.reader = reader
    }

    /// Whether the next event has been fetched already.
    public var hasNextAtHand: Bool { !events.isEmpty }

    /// - Throws: ``EventStoreError``, on the first call `notFound` for a name that the store does not have.
    public mutating func next() async throws -> Event? {
      while events.isEmpty {
        if reader.isFinished { return nil }
        let page = try await store.nextPage(reader) { page in (0..<page.rowCount).map { page.event($0) } }
        reader = page.reader
        events = (page.content ?? [])[...]
        try await pause.passed(isIdle: events.isEmpty && !reader.isFinished, store)
      }
      return events.removeFirst()
    }
  }
}

extension EventStore {
  /// Reads one page, if there is one now; after a lost connection, once more from the place of the reader.
  func nextPage<T: Sendable>(
    _ reader: EventReader,
    seeing rows: RowVisibility = .permitted,
    _ render: (borrowing QueryResult) throws -> T
  ) async throws -> (reader: EventReader, content: T?) {
    try await reconnecting(within: reader.retryTimeout) {
      try await perform(seeing: rows, goingOn: reader.hasBegun && !reader.isFollowing) { store in
        var reader = reader
        let content = try reader.nextPage(store, render)
        return (reader, content)
      }
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

  borrowing func eventID(_ row: Int, _ column: Int) -> EventID { EventID(bytes(row, column)) }
}

extension Row {
  func eventID(_ column: StaticString) -> EventID { EventID(bytes(column)) }

  /// A time as a timestamptz.
  func timestamp(_ column: StaticString) -> Timestamp { Timestamp(microseconds: int64(column)) }
}

extension EventID {
  /// - Parameter bytes: a UUID as PostgreSQL sends it.
  fileprivate init(_ bytes: RawSpan) {
    self.init(
      high: UInt64(bigEndian: bytes.load(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.load(at: 8, as: UInt64.self))
    )
  }
}
