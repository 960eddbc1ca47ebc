internal import LibPQ
internal import Synchronization

/// The aggregates of one transaction.
struct SnapshotChunk: Sendable {
  enum Members {
    case aggregates([String])
    /// A range of ids in the order of the table's index; nil is the beginning.
    case range(after: String?, through: String)
  }

  let members: Members
  /// How many events they have.
  let events: Int64

  /// About how many events a chunk has: enough to make the commit negligible, and few enough to lose in a crash.
  static let eventLimit: Int64 = 20_000
  /// How many aggregates a chunk has if they are given by name.
  private static let nameLimit = 1000

  /// The events of its aggregates, as `e`.
  func condition(in selection: AggregateSelection, of table: EventsTable) -> SQL {
    switch members {
    case .aggregates(let ids): return AggregateSelection.aggregates(ids).condition(in: table)
    case .range(let after, let through):
      var conditions: [SQL] = ["e.aggregate_id <= \(through)", selection.condition(in: table)]
      if let after { conditions.append("e.aggregate_id > \(after)") }
      return conditions.conjunction
    }
  }

  static func chunks(ofNames ids: [String], events: Int64) -> [SnapshotChunk] {
    stride(from: 0, to: ids.count, by: nameLimit).map { start in
      let slice = Array(ids[start..<min(start + nameLimit, ids.count)])
      return SnapshotChunk(
        members: .aggregates(slice),
        events: events * Int64(slice.count) / Int64(ids.count)
      )
    }
  }
}

extension StoreConnection {
  /// Divides the selected aggregates into chunks.
  ///
  /// - Throws: ``EventStoreError`` with code `notFound` when the store has none of them, or lacks a named one.
  func chunks(of selection: AggregateSelection) throws -> [SnapshotChunk] {
    if case .aggregates(let ids) = selection { return try chunks(ofNames: ids) }
    let sql: SQL = """
      SELECT max(aggregate_id)::text AS through, sum(events)::bigint AS events FROM (
        SELECT e.aggregate_id, count(*) AS events,
               div(sum(count(*)) OVER (ORDER BY e.aggregate_id) - 1, \(SnapshotChunk.eventLimit)) AS chunk
        FROM \(raw: relation) AS e WHERE \(selection.condition(in: try eventsTable())) GROUP BY e.aggregate_id
      ) AS streams GROUP BY chunk ORDER BY chunk
      """
    let result = try connection.query(sql)
    if case .category(let category) = selection, result.isEmpty {
      throw NamedEvents.category(category).missing(in: table)
    }
    var after: String?
    return result.map { row in
      let through = row.string("through")
      defer { after = through }
      return SnapshotChunk(members: .range(after: after, through: through), events: row.int64("events"))
    }
  }

  private func chunks(ofNames ids: [String]) throws -> [SnapshotChunk] {
    let events = try eventsTable()
    if let missing = try events.withoutEvents(ids, connection).first {
      throw NamedEvents.aggregate(missing).missing(in: table)
    }
    let named = AggregateSelection.aggregates(ids).condition(in: events)
    let count = try connection.query("SELECT count(*) FROM \(raw: relation) AS e WHERE \(named)").int64(0, 0)
    return SnapshotChunk.chunks(ofNames: ids, events: count)
  }

  /// The aggregates of a chunk.
  func members(of chunk: SnapshotChunk, in selection: AggregateSelection) throws
    -> [String]
  {
    let sql: SQL = """
      SELECT DISTINCT e.aggregate_id::text AS aggregate_id FROM \(raw: relation) AS e
      WHERE \(chunk.condition(in: selection, of: try eventsTable())) ORDER BY 1
      """
    return try connection.query(sql).map { $0.string("aggregate_id") }
  }
}

/// Assigns chunks to workers, and counts what they have done.
final class ChunkQueue: Sendable {
  let total: Int64
  private let chunks: [SnapshotChunk]
  private let state = Mutex((next: 0, done: Int64(0)))

  init(_ chunks: [SnapshotChunk]) {
    self.chunks = chunks
    total = chunks.reduce(0) { $0 + $1.events }
  }

  /// The next chunk that no worker has; nil when there is none.
  func next() -> SnapshotChunk? {
    state.withLock { state in
      guard state.next < chunks.count else { return nil }
      defer { state.next += 1 }
      return chunks[state.next]
    }
  }

  /// - Returns: the events in all chunks that are done.
  func finish(_ chunk: SnapshotChunk) -> Int64 {
    state.withLock { state in
      state.done += chunk.events
      return state.done
    }
  }
}
