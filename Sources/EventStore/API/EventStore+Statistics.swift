extension EventStore {
  /// Lists streams, with their number of events and the times of the first and the last one.
  ///
  /// A few streams by name are found one by one, at once in a store of any size, if its index has the ids in the order
  /// of bytes. A list by the events of streams counts the events. It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - query: which streams, and which of them come first.
  ///   - body: is called on the store's thread with each stream.
  /// - Returns: whether there are more than the limit of the query.
  /// - Throws: ``EventStoreError``; `notFound` when no event has the given category, type or prefix; what `body`
  ///   throws.
  @discardableResult
  public func listStreams(
    _ query: StreamQuery = StreamQuery(),
    _ body: @Sendable (ListedStream) throws -> Void
  ) async throws -> Bool {
    try await perform(seeing: .permitted) { try $0.listStreams(query, body) }
  }

  /// Lists the categories of streams, with how many streams and events they have.
  ///
  /// If there are many events, and an index has the names, the names are found one by one, and the number of events is
  /// an estimate from PostgreSQL's statistics. It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - prefix: what the names begin with.
  ///   - order: by name, or by most events, which are then counted.
  ///   - limit: at most as many categories; nil for all, which are then counted.
  ///   - exact: count all events; do not estimate.
  ///   - body: is called on the store's thread with each category.
  /// - Returns: whether there are more than the limit.
  /// - Throws: ``EventStoreError``; `notFound` when no name has this prefix; what `body` throws.
  @discardableResult
  public func listCategories(
    beginningWith prefix: String = "",
    order: ListedCategory.Order = .name,
    limit: Int? = 100,
    exact: Bool = false,
    _ body: @Sendable (ListedCategory) throws -> Void
  ) async throws -> Bool {
    try await perform(seeing: .permitted) {
      try $0.listCategories(prefix: prefix, order: order, limit: limit, isExact: exact, body)
    }
  }

  /// The totals of the store: its events, streams and types, since when, how many recently, and the size on disk.
  ///
  /// It needs SELECT on the events alone.
  ///
  /// - Parameter exact: read all events. Otherwise the counts of a large store that has positions and was analyzed are
  ///   estimates from PostgreSQL's statistics.
  /// - Throws: ``EventStoreError``.
  public func statistics(exact: Bool = false) async throws -> StoreStatistics {
    try await read { try $0.statistics(exact: exact) }
  }

  /// Counts events in groups.
  ///
  /// It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - query: the groups, and which events.
  ///   - body: is called on the store's thread with each group.
  /// - Returns: whether there are more than the limit of the query.
  /// - Throws: ``EventStoreError``, and what `body` throws.
  @discardableResult
  public func groupEvents(
    _ query: GroupQuery,
    _ body: @Sendable (EventGroup) throws -> Void
  ) async throws -> Bool {
    try await perform { try $0.groupEvents(query, body) }
  }
}
