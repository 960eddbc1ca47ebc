extension EventStore {
  /// Lists streams, with how many events they have, and from when to when.
  ///
  /// A few streams by name are found one by one, at once in a store of any size, if its index has the ids in the order of
  /// bytes. What goes by the events of streams counts them. It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - query: which streams, and which of them come first.
  ///   - body: is called on the store's thread with each stream.
  /// - Returns: whether there are more than the limit of the query.
  /// - Throws: ``EventStoreError``; `notFound` when the store has no event of a category, a type or a prefix that is asked
  ///   for; and what `body` throws.
  @discardableResult
  public func listStreams(
    _ query: StreamQuery = StreamQuery(),
    _ body: @Sendable (ListedStream) throws -> Void
  ) async throws -> Bool {
    try await perform(seeing: .permitted) { try $0.listStreams(query, body) }
  }

  /// Lists the categories of streams, with how many streams and events they have.
  ///
  /// Where there are many events, and an index has the names, these are found one by one, and PostgreSQL's statistics tell
  /// about how many events there are. It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - prefix: what the names begin with.
  ///   - order: by name, or those of the most events first, which are counted then.
  ///   - limit: at most as many categories; nil for all, which are counted then.
  ///   - exact: count all events; do not estimate.
  ///   - body: is called on the store's thread with each category.
  /// - Returns: whether there are more than the limit.
  /// - Throws: ``EventStoreError``; `notFound` when no name begins so; and what `body` throws.
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

  /// Sums the store up: how many events, streams and types, since when, how many recently, and their size on disk.
  ///
  /// It needs SELECT on the events alone.
  ///
  /// - Parameter exact: read all events. Otherwise PostgreSQL's statistics tell about how many there are in a large store
  ///   that has positions and was analyzed.
  /// - Throws: ``EventStoreError``.
  public func statistics(exact: Bool = false) async throws -> StoreStatistics {
    try await read { try $0.statistics(exact: exact) }
  }

  /// Counts events by what they have in common.
  ///
  /// It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - query: by what, and which events.
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
