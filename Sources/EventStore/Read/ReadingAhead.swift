internal import LibPQ

/// Reading a long history by two connections at a time, so that two processes of the server work.
///
/// Final events can be read before their turn comes. So pages here are ranges of positions, which are known in advance,
/// instead of a number of next events, which only the previous page could tell.
extension EventStore {
  /// The final positions that a query without filters reads, if there are many; nil for any other query.
  func longHistory(_ query: EventQuery) async throws -> ClosedRange<Int64>? {
    var unfiltered = EventQuery()
    (unfiltered.fromPosition, unfiltered.toPosition) = (query.fromPosition, query.toPosition)
    guard query == unfiltered else { return nil }
    return try await read(seeing: .permitted) {
      try $0.longHistory(from: query.fromPosition, to: query.toPosition)
    }
  }

  /// A second connection to the same server; nil if the server allows no more.
  ///
  /// With several hosts in a connection string, or behind a balancer, each connection may get another server. A standby
  /// that is behind would leave events out.
  nonisolated func helper() async -> EventStore? {
    guard let helper = try? await sibling(), let start = try? await serverStart() else { return nil }
    return try? await helper.serverStart() == start ? helper : nil
  }

  private func serverStart() async throws -> Int64 {
    try await read(seeing: .permitted) { try $0.connection.serverStart() }
  }

  /// Writes history as long as its positions are close together.
  ///
  /// Each store has one range more than it works on, so neither waits for the other while the lines are written.
  ///
  /// - Returns: what was written, and the remaining positions; nil for none.
  nonisolated func writeRuns(
    of history: ClosedRange<Int64>,
    with helper: EventStore,
    to write: @Sendable ([UInt8]) throws -> Void
  ) async throws -> (ReadResult, rest: ClosedRange<Int64>?) {
    let stores = [self, helper]
    return try await withThrowingTaskGroup(of: ReadRun.self) { group in
      var runs = PositionRuns(history)
      var result = ReadResult()
      var read: [Int: EventBatch] = [:]
      var (started, written) = (0, 0)
      while true {
        while started < written + 2 * stores.count, let run = runs.next() {
          let (number, store, size) = (started, stores[started % stores.count], runs.size)
          group.addTask {
            ReadRun(number: number, run: run, batch: try await store.batch(of: run, of: history, size))
          }
          started += 1
        }
        guard let next = try await group.next() else { return (result, runs.rest) }
        runs.learn(rows: next.batch.count, bytes: next.batch.lines.count, of: next.run)
        read[next.number] = next.batch
        while let batch = read.removeValue(forKey: written) {
          try write(batch.lines)
          result.count += batch.count
          result.lastPosition = batch.positions.last ?? result.lastPosition
          written += 1
        }
      }
    }
  }

  private func batch(
    of run: ClosedRange<Int64>,
    of history: ClosedRange<Int64>,
    _ size: PageSize
  ) async throws -> EventBatch {
    let first = session.number
    return try await read(seeing: .permitted, goingOn: true) {
      if $0.session.number != first { try $0.requireReplayed(upTo: history.upperBound) }
      return try $0.batch(of: run, size)
    }
  }
}

extension StoreConnection {
  /// Fewer positions are read before a second connection is open and useful.
  private static let longHistory: Int64 = 50_000

  func longHistory(from start: Int64?, to end: Int64?) throws -> ClosedRange<Int64>? {
    let events = try eventsTable()
    // If two events may have one position, a range could have more events than positions.
    guard events.hasPosition, !upcasters.splits, try events.hasUniqueKey(["position"], connection) else {
      return nil
    }
    let ends = try connection.query(
      "SELECT min(position) AS lowest, max(position) AS highest FROM \(raw: table.sql)"
    )
    guard let first = ends[0].optionalInt64("lowest"), let head = ends[0].optionalInt64("highest") else {
      return nil
    }
    let start = max(first, start ?? first)
    let last = min(head, end ?? head)
    guard start <= last, start.span(to: last) >= Self.longHistory else { return nil }
    let final = min(positions == .final ? try finalPosition() : head, end ?? .max)
    return final > start ? start...final : nil
  }

  func batch(of run: ClosedRange<Int64>, _ size: PageSize) throws -> EventBatch {
    var query = EventQuery()
    (query.fromPosition, query.toPosition) = (run.lowerBound, run.upperBound)
    var pages = EventPages(query, in: try eventsTable(), size: size)
    try pages.send(connection)
    return EventBatch(try pages.receive(self))
  }
}

private struct ReadRun {
  let number: Int
  let run: ClosedRange<Int64>
  let batch: EventBatch
}

/// Cuts history into ranges of positions, each with as many as a page has events.
struct PositionRuns {
  /// The range that is not cut yet.
  private(set) var rest: ClosedRange<Int64>?
  private(set) var size = PageSize(bytes: 512 << 10)
  private var isDense = true

  init(_ history: ClosedRange<Int64>) {
    rest = history
  }

  /// Nil at the end, and from where most positions have no event: there a range would be an almost empty page.
  mutating func next() -> ClosedRange<Int64>? {
    guard isDense, let all = rest else { return nil }
    let end = min(all.upperBound, all.lowerBound.saturatingAdd(Int64(size.rows) - 1))
    rest = end < all.upperBound ? (end + 1)...all.upperBound : nil
    return all.lowerBound...end
  }

  mutating func learn(rows: Int, bytes: Int, of run: ClosedRange<Int64>) {
    isDense = isDense && Int64(rows) * 2 > run.lowerBound.span(to: run.upperBound)
    size.learn(rows: rows, bytes: bytes)
  }
}
