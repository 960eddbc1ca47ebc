internal import LibPQ
internal import Synchronization

extension StoreConnection {
  /// The types, the most frequent first, with the weeks of the first ones.
  func reportedTypes(in window: ClosedRange<Timestamp>) throws -> ReportedTypes {
    let table = try eventsTable()
    let types = try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      return try TypeHistory.estimated(in: table, connection) ?? TypeHistory.all(in: table, connection)
    }
    var query = GroupQuery(by: [.type, .week])
    query.events.since = window.lowerBound
    query.events.until = window.upperBound
    query.events.types = types.prefix(Self.shownTypes).map(\.count.type.string)
    query.countsStreams = false
    return ReportedTypes(
      types: types.map(ReportedType.init),
      weeks: types.isEmpty ? [] : try groups(query)
    )
  }

  /// The events of a window by hour.
  func hours(in window: ClosedRange<Timestamp>) throws -> [EventGroup] {
    var query = GroupQuery(by: [.hour])
    query.events.since = window.lowerBound
    query.events.until = window.upperBound
    query.countsStreams = false
    return try groups(query)
  }

  /// How large the payloads are, over all types and for each of the first ones.
  func payloadSizes() throws -> [PayloadSize] {
    let table = try eventsTable()
    return try connection.transaction(.repeatableReadOnly) {
      let sample = try GroupSample(of: GroupSample.usualSize, in: table, self)
      let sql = SQLTemplate.payloadSizes.statement([
        "source": sample?.source ?? "\(raw: table.relation) e", "limit": SQL(raw: "\(Self.shownTypes + 1)"),
      ])
      return try connection.query(sql).map { row in
        PayloadSize(
          type: row.bool("is_total") ? nil : row.optionalString("event_type") ?? "",
          examined: row.int64("examined"),
          median: row.int64("median"),
          high: row.int64("high"),
          largest: row.int64("largest")
        )
      }
    }
  }

  /// How long streams are, the longest ones, and which of these have a snapshot.
  func reportedStreams() throws -> ReportedStreams {
    let table = try eventsTable()
    let sql = SQLTemplate.streamLengths.statement(["events": "\(raw: table.relation)"])
    let lengths = try connection.transaction(.repeatableReadOnly) {
      try connection.query(sql).map { row in
        ReportedStreams.Length(
          power: Int(row.int32("power")),
          streams: row.int64("streams"),
          events: row.int64("events")
        )
      }
    }
    var query = StreamQuery()
    (query.order, query.limit) = (.events, Self.shownStreams)
    let longest = Mutex<[ListedStream]>([])
    _ = try listStreams(query) { stream in longest.withLock { $0.append(stream) } }
    let streams = longest.withLock { $0 }
    return ReportedStreams(
      lengths: lengths,
      longest: streams,
      snapshots: try newestSnapshots(of: streams.map(\.aggregateID))
    )
  }

  private func newestSnapshots(of ids: [String]) throws -> [Int?]? {
    if ids.isEmpty { return [] }
    let newest = Mutex<[ByteString: Int]>([:])
    do {
      try listSnapshots(of: .aggregates(ids)) { snapshot in
        newest.withLock { versions in
          let id = ByteString(snapshot.aggregateID)
          versions[id] = max(versions[id] ?? snapshot.version, snapshot.version)
        }
      }
    } catch is EventStoreError {
      // The schema of snapshots does not exist.
      return nil
    } catch let error as PostgresError {
      guard EventStoreError(error).code == .permissionDenied else { throw error }
      return nil
    }
    return newest.withLock { versions in ids.map { versions[ByteString($0)] } }
  }

  private func groups(_ query: GroupQuery) throws -> [EventGroup] {
    let found = Mutex<[EventGroup]>([])
    _ = try groupEvents(query) { group in found.withLock { $0.append(group) } }
    return found.withLock { $0 }
  }

  private static let shownTypes = 30
  private static let shownStreams = 20
}

extension ReportedType {
  fileprivate init(_ history: TypeHistory) {
    type = history.count.type.string
    (events, isEstimate) = (history.count.events, history.count.isEstimate)
    (firstSeen, lastSeen) = (history.firstSeen, history.lastSeen)
  }
}
