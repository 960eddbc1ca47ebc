internal import LibPQ

/// Events that a sink gets at once.
public struct EventBatch: Sendable, Hashable {
  /// As ``EventStore/writeNDJSON(_:to:)`` writes them.
  public let lines: [UInt8]
  /// How many events it holds.
  public let count: Int
  /// The events' positions; empty in a table without positions.
  public let positions: [Int64]
  /// The hashes of their ids, for a replay that records which events it has met.
  let idHashes: [Int32]
  /// The hashes of their aggregates' ids, where ``ReplayOptions/dividesStreams`` asks for them.
  private let streams: [Int]

  /// The events up to a position, if the replay records them.
  func seenEvents(upTo end: Int64) -> SeenEvents {
    var seen = SeenEvents()
    for (position, hash) in zip(positions, idHashes) where position <= end {
      seen += SeenEvents(count: 1, hash: Int64(hash))
    }
    return seen
  }

  /// Divides the events among some, those of a stream together and in their order.
  ///
  /// - Parameters:
  ///   - count: among how many.
  ///   - done: positions that are left out.
  public func shares(_ count: Int, without done: Set<Int64> = []) -> [EventBatch] {
    if count == 1, done.isEmpty { return [self] }
    var rows = [[Int]](repeating: [], count: count)
    for row in positions.indices where !done.contains(positions[row]) {
      rows[streams.isEmpty ? 0 : Int(UInt(bitPattern: streams[row]) % UInt(count))].append(row)
    }
    return rows.map(events)
  }

  /// The events at other positions than these.
  func without(_ skipped: Set<Int64>) -> EventBatch {
    if skipped.isEmpty { return self }
    return events(positions.indices.filter { !skipped.contains(positions[$0]) })
  }

  /// Some of the events; an event after another one is at a higher row.
  public func events(_ rows: some Collection<Int>) -> EventBatch {
    let all = lines.split(separator: UInt8(ascii: "\n"))
    var lines: [UInt8] = []
    for row in rows {
      lines += all[row]
      lines.append(UInt8(ascii: "\n"))
    }
    func some<Value>(_ values: [Value]) -> [Value] { values.isEmpty ? [] : rows.map { values[$0] } }
    return EventBatch(
      lines: lines,
      count: rows.count,
      positions: some(positions),
      idHashes: some(idHashes),
      streams: some(streams)
    )
  }
}

extension EventBatch {
  init(_ page: borrowing QueryResult, withStreams hasStreams: Bool = false) {
    var (lines, streams): ([UInt8], [Int]) = ([], [])
    for row in 0..<page.rowCount {
      page.appendNDJSON(row, to: &lines)
      if hasStreams { streams.append(ByteString(page.string(row, EventsTable.Column.aggregateID)).hashValue) }
    }
    self.lines = lines
    self.streams = streams
    count = page.rowCount
    positions = (0..<page.rowCount).compactMap { page.optionalInt64($0, EventsTable.Column.position) }
    let hasHashes = page.columnCount > EventsTable.Column.idHash
    idHashes = hasHashes ? (0..<page.rowCount).map { page.int32($0, EventsTable.Column.idHash) } : []
  }
}
