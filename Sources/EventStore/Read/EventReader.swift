internal import LibPQ

/// A read that can pause between pages; a following one continues, round by round, as history grows.
struct EventReader: Sendable {
  let query: EventQuery
  let isFollowing: Bool
  /// The most events in a page; nil decides by their size.
  var maximumRows: Int?
  /// How long to try to connect again after the connection was lost.
  var retryTimeout = Duration.seconds(30)
  /// Whether a reader will continue after the last position, so that no event there may be left out.
  var endsBetweenPositions = false
  /// Whether the events that an operator skips are to be left out of the pages; the caller does that.
  var leavesOutSkipped = false
  /// The positions of these events in the last page.
  private(set) var skipped: Set<Int64> = []
  /// Whether there is a list of them; nil before the first page.
  private var hasSkips: Bool?

  private var pages: EventPages?
  /// Everything up to here was final when the current round began.
  private var finalPosition: Int64?
  /// The position before the first event that is too late for the read. A reader that continues from a position must
  /// not pass it, whatever times the events after it have.
  private var lastBeforeEnd: Int64?
  /// What a reader that continues from a position has seen; nil for a read that nobody continues.
  private var history: FollowedHistory?

  /// The result so far of ``readRound(_:_:)``.
  private(set) var result = ReadResult()
  /// The connection that was read from; see ``Session/number``.
  private var session: Int?

  init(_ query: EventQuery, following: Bool = false) {
    var query = query
    if following { (query.order, query.reversed, query.waitsForWriters) = (.position, false, true) }
    self.query = query
    isFollowing = following
  }

  /// Everything that matches up to here was read. Nil before the end of a round, without positions, and for a read that
  /// ends at a time and that nobody continues.
  var settledPosition: Int64? {
    guard pages?.isExhausted == true, !isLimited, endsBetweenPositions || !query.endsAtTime else {
      return nil
    }
    return finalPosition.map { min($0, query.toPosition ?? .max, lastBeforeEnd ?? .max) }
  }

  /// Whether the range to read is known.
  var hasBegun: Bool { pages != nil }

  /// Whether nothing more can come.
  var isFinished: Bool {
    guard let pages, pages.isExhausted else { return false }
    guard isFollowing, !isLimited, lastBeforeEnd == nil else { return true }
    guard let finalPosition, let end = query.toPosition else { return false }
    return finalPosition >= end
  }

  private var isLimited: Bool { pages?.remaining.map { $0 <= 0 } ?? false }

  /// Reads a page; nil when there is none now.
  mutating func nextPage<T>(
    _ store: StoreConnection,
    _ body: (borrowing QueryResult) throws -> T
  ) throws -> T? {
    do {
      return try readPage(store, body)
    } catch {
      throw store.replacement(of: history, behind: error) ?? error
    }
  }

  private mutating func readPage<T>(
    _ store: StoreConnection,
    _ body: (borrowing QueryResult) throws -> T
  ) throws -> T? {
    if isFinished { return nil }
    try settleSession(store)
    if isFollowing { try store.listenForAppends() }
    if pages?.isExhausted ?? true, try !beginRound(store) { return nil }
    guard var pages, !pages.isExhausted else { return nil }
    if let maximumRows { pages.limitRows(to: maximumRows) }
    try pages.find(store)
    try pages.send(store.connection)
    let page = try pages.receive(store)
    store.report(pages.unreadable)
    self.pages = pages
    // After the end of a round there are no events, unless the table is not the one that the round began with.
    if pages.isExhausted { try history?.requireUnchanged(store.connection) }
    if page.isEmpty { return nil }
    if leavesOutSkipped { try findSkipped(page, store) }
    return try body(page)
  }

  private mutating func findSkipped(_ page: borrowing QueryResult, _ store: StoreConnection) throws {
    let hasSkips = try hasSkips ?? store.hasSkippedEvents()
    self.hasSkips = hasSkips
    let ends = [0, page.rowCount - 1].compactMap { page.optionalInt64($0, EventsTable.Column.position) }
    guard hasSkips, let first = ends.min(), let last = ends.max() else { return }
    skipped = Set(try store.skippedPositions(from: first, upTo: last))
  }

  /// Reads all of a round, or the rest of it after an interruption; the server works on the next page while `body`
  /// works on the current one.
  mutating func readRound(
    _ store: StoreConnection,
    _ body: (borrowing QueryResult) throws -> Void
  ) throws {
    try settleSession(store)
    if pages == nil, try !beginRound(store) { return }
    guard var pages, !pages.isExhausted else { return }
    let connection = store.connection
    try pages.find(store)
    try readPlaces(&pages, store, body)
    if pages.isExhausted { return }
    try pages.send(connection)
    repeat {
      let page = try pages.receive(store)
      store.report(pages.unreadable)
      if !pages.isExhausted {
        try pages.find(store)
        try pages.send(connection)
      }
      do {
        try body(page)
      } catch {
        if !pages.isExhausted { _ = try? connection.receive() }
        throw error
      }
      settle(page, pages)
    } while !pages.isExhausted
  }

  /// Reads what a search finds by a second connection too, while it finds many places and the server has a connection to give.
  private mutating func readPlaces(
    _ pages: inout EventPages,
    _ store: StoreConnection,
    _ body: (borrowing QueryResult) throws -> Void
  ) throws {
    guard pages.haveManyPlaces, let helper = store.readingHelper() else { return }
    while pages.haveManyPlaces {
      let found = pages
      var isRefused = false
      do {
        try found.readPlaces([store.connection, helper]) { page, behind in
          do { try body(page) } catch {
            isRefused = true
            throw error
          }
          settle(page, behind)
          pages = behind
        }
      } catch {
        // What a page alone is the cause of shows again when this connection goes on without the helper.
        if isRefused || store.connection.isBroken { throw error }
        return
      }
      try pages.find(store)
    }
  }

  private mutating func settle(_ page: borrowing QueryResult, _ pages: EventPages) {
    result.count += page.rowCount
    result.lastPosition = pages.last?.position
    self.pages = pages
  }

  /// Refuses to continue if the server of a new connection does not have yet what the one before had: the missing
  /// events would be left out.
  private mutating func settleSession(_ store: StoreConnection) throws {
    if let session, session != store.session.number,
      let seen = [finalPosition, history?.head].compactMap(\.self).max()
    {
      try store.requireReplayed(upTo: seen)
    }
    session = store.session.number
  }

  /// Whether there is more to read than in the round before.
  private mutating func beginRound(_ store: StoreConnection) throws -> Bool {
    var round = query
    if let pages, let done = finalPosition, var history {
      _ = try store.look(at: &history)
      self.history = history
      guard let head = history.head, head > done else { return false }
      round.afterPosition = done
      round.limit = pages.remaining
    } else if isFollowing {
      history = try store.requireFollowable()
      try store.requireContents(of: query)
    } else {
      try store.requireNames(in: query)
      try store.requireContents(of: query)
      if endsBetweenPositions { history = try store.proveFinality() }
    }
    let final = try store.settleEnd(of: &round, &history, isFollowing: isFollowing)
    // The published watermark of a primary may not move while events come, and goes back when the store is restored.
    if let done = finalPosition, let final, final <= done { return false }
    finalPosition = final
    if endsBetweenPositions, query.endsAtTime { lastBeforeEnd = try store.endAtTime(&round) }
    var skippedRows = 0
    let hasTies = try pages.map { $0.ties != .none } ?? store.canHaveTies(round)
    var search: ContentSearch?
    if pages == nil {
      try store.narrowIfShorter(&round, following: isFollowing)
      skippedRows = try store.narrowToLast(&round, hasTies: hasTies)
      search = try store.contentSearch(for: round)
    }
    pages = EventPages(
      round,
      in: try store.eventsTable(for: round),
      ties: hasTies ? endsBetweenPositions ? .kept : .cut : .none,
      skipping: skippedRows,
      remembered: endsBetweenPositions,
      search: search
    )
    return true
  }
}

extension StoreConnection {
  /// Ends a read that waits for writers at the last final position, and returns it; nil for another read.
  fileprivate func settleEnd(
    of query: inout EventQuery,
    _ history: inout FollowedHistory?,
    isFollowing: Bool
  ) throws -> Int64? {
    let table = try eventsTable()
    if query.fromPosition != nil || query.toPosition != nil { try table.requirePosition(for: "a position") }
    try requireComplete(for: query)
    guard query.order == .position, table.hasPosition, query.waitsForWriters else { return nil }
    // A read that runs once waits for the writers of now, but not for positions that may never come.
    guard positions == .final || history != nil else { return nil }
    let final: Int64
    if var known = history {
      final = try finalPosition(of: &known, stopsAtHole: isFollowing)
      history = known
    } else {
      final = try finalPosition()
    }
    query.toPosition = min(query.toPosition ?? final, final)
    return final
  }

  /// Refuses a query in which NULL would silently leave an event out.
  func requireComplete(for query: EventQuery) throws {
    let table = try eventsTable()
    if query.goesByPosition { try table.requirePositions(connection) }
    if query.hasTimes { try table.requireTimes(connection) }
  }

  /// Whether several events may have one place, because nothing in the catalogue excludes that.
  fileprivate func canHaveTies(_ query: EventQuery) throws -> Bool {
    let table = try eventsTable()
    let isByPosition = EventPages(query, in: table).order == .position
    return try !table.hasUniqueKey(isByPosition ? ["position"] : ["aggregate_id", "version"], connection)
  }

  /// Begins a read of the last events at the first of them, which a backward read finds.
  ///
  /// - Returns: how many events at that place are not among the last ones.
  fileprivate func narrowToLast(_ query: inout EventQuery, hasTies: Bool) throws -> Int {
    guard let last = query.last else { return 0 }
    guard !query.reversed else {
      query.limit = min(query.limit ?? last, last)
      return 0
    }
    let table = try eventsTable()
    if query.order == .position || query.aggregateID == nil {
      try table.requirePosition(for: "reading the last events")
    }
    var backward = query
    (backward.reversed, backward.limit) = (true, last)
    let search = try contentSearch(for: backward)
    var pages = EventPages(
      backward,
      in: try eventsTable(for: query),
      ties: hasTies ? .kept : .none,
      search: search
    )
    while !pages.isExhausted {
      try pages.find(self)
      try pages.send(connection)
      _ = try pages.receive(self)
    }
    if query.order == .position {
      query.fromPosition = pages.last?.position ?? query.fromPosition
    } else {
      query.fromVersion = pages.last.map { Int($0.version) } ?? query.fromVersion
    }
    if last == 0 { query.limit = 0 }
    return max(0, -(pages.remaining ?? 0))
  }

  /// Refuses to follow if it cannot be known what is final.
  ///
  /// - Parameter keepsCheckpoint: whether the reader keeps its position in the database.
  @discardableResult
  func requireFollowable(keepsCheckpoint: Bool = false) throws -> FollowedHistory {
    try eventsTable().requirePosition(for: "following")
    let history = try proveFinality()
    guard try readHead().isReplayed else { return history }
    if keepsCheckpoint {
      throw EventStoreError(
        .permissionDenied,
        "this server is a standby, which cannot store checkpoints",
        hint: "Store checkpoints on the primary; a read without a checkpoint works here."
      )
    }
    if try publishedWatermark() == nil { throw Self.notPublished }
    return history
  }

  /// - Throws: ``EventStoreError`` with code `notFound` for a name without events.
  func requireNames(in query: EventQuery) throws {
    let table = try eventsTable()
    func require(_ named: NamedEvents, _ condition: SQL) throws {
      guard try connection.hasEvent(in: table.source, where: condition) else {
        throw named.missing(in: table.name)
      }
    }
    for type in query.types {
      try require(.type(type), "e.event_type = \(type)")
    }
    if let aggregateID = query.aggregateID {
      try require(.aggregate(aggregateID), table.isOf(aggregateID))
    }
    if let category = query.category {
      let isThere = try isThere(category, in: table)
      if !isThere { throw NamedEvents.category(category).missing(in: table.name) }
    }
  }

  /// Looks for the first id of a category, if an index has it. PostgreSQL assumes that the events of a category are
  /// evenly distributed, and would go through the table to the first of them.
  private func isThere(_ category: String, in table: EventsTable) throws -> Bool {
    guard table.relation.hasSameBytes(as: table.name.sql), try isInByteOrder("aggregate_id") else {
      return try connection.hasEvent(in: table.source, where: table.isOf(category: category))
    }
    let members = try connection.query(
      """
      SELECT 1 FROM \(raw: relation) e
      WHERE e.aggregate_id COLLATE "C" >= \(category + "-") AND e.aggregate_id COLLATE "C" < \(category + ".")
      ORDER BY e.aggregate_id COLLATE "C" LIMIT 1
      """
    )
    if !members.isEmpty { return true }
    return try connection.hasEvent(in: relation, where: "e.aggregate_id = \(category)")
  }
}
