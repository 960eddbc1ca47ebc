internal import LibPQ
internal import Synchronization

/// Aggregates that are worked on in one transaction.
struct SnapshotChunk: Sendable {
  enum Members {
    case aggregates([String])
    /// A range of ids in the order of the table's index; nil is the beginning.
    case range(after: String?, through: String)
  }

  let members: Members
  /// How many events they have.
  let events: Int64

  /// About as many events a chunk: large enough that the commit does not count, small enough to be lost in a crash.
  static let eventLimit = 20_000
  /// As many aggregates a chunk where they are given by name.
  private static let nameLimit = 1000

  func add(to conditions: inout Conditions) {
    switch members {
    case .aggregates(let ids): conditions.add("e.aggregate_id = ANY (\(conditions.bind(.textArray(ids))))")
    case .range(let after, let through):
      if let after { conditions.add("e.aggregate_id > \(conditions.bind(.text(after)))") }
      conditions.add("e.aggregate_id <= \(conditions.bind(.text(through)))")
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
  /// - Throws: ``EventStoreError`` with code `notFound` when the store has none of them, or lacks one that is named.
  func chunks(of selection: AggregateSelection) throws -> [SnapshotChunk] {
    var conditions = Conditions()
    switch selection {
    case .all: break
    case .category(let category): conditions.add(category: category)
    case .aggregates(let ids): return try chunks(ofNames: ids)
    }
    let sql = """
      SELECT max(aggregate_id)::text, sum(events)::bigint FROM (
        SELECT e.aggregate_id, count(*) AS events,
               div(sum(count(*)) OVER (ORDER BY e.aggregate_id) - 1, \(SnapshotChunk.eventLimit)) AS chunk
        FROM \(relation) AS e \(conditions.clause(and: "true")) GROUP BY e.aggregate_id
      ) AS streams GROUP BY chunk ORDER BY chunk
      """
    let result = try connection.query(sql, conditions.parameters)
    if case .category(let category) = selection, result.isEmpty {
      throw EventStoreError(.notFound, "\(table) has no event of category '\(category)'")
    }
    var after: String?
    return (0..<result.rowCount).map { row in
      let through = result.string(row, 0)
      defer { after = through }
      return SnapshotChunk(members: .range(after: after, through: through), events: result.int64(row, 1))
    }
  }

  private func chunks(ofNames ids: [String]) throws -> [SnapshotChunk] {
    let sql = """
      SELECT (SELECT count(*) FROM \(relation) AS e WHERE e.aggregate_id = names.name), names.name
      FROM unnest($1::text[]) AS names (name) ORDER BY 1
      """
    let result = try connection.query(sql, [.textArray(ids)])
    if !result.isEmpty, result.int64(0, 0) == 0 {
      throw EventStoreError(.notFound, "\(table) has no event of aggregate '\(result.string(0, 1))'")
    }
    let events = (0..<result.rowCount).reduce(0) { $0 + result.int64($1, 0) }
    return SnapshotChunk.chunks(ofNames: ids, events: events)
  }

  /// The aggregates of a chunk.
  func members(of chunk: SnapshotChunk, in selection: AggregateSelection) throws
    -> [String]
  {
    let conditions = chunk.conditions(in: selection)
    let sql = """
      SELECT DISTINCT e.aggregate_id::text FROM \(relation) AS e \(conditions.clause(and: "true")) ORDER BY 1
      """
    let result = try connection.query(sql, conditions.parameters)
    return (0..<result.rowCount).map { result.string($0, 0) }
  }
}

extension SnapshotChunk {
  /// The events of the chunk's aggregates, as `e`.
  func conditions(in selection: AggregateSelection) -> Conditions {
    var conditions = Conditions()
    add(to: &conditions)
    if case .category(let category) = selection { conditions.add(category: category) }
    return conditions
  }
}

/// Hands chunks to workers, and counts what they have done.
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
