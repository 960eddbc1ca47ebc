internal import LibPQ

/// Where a search for streams begins.
enum ArchivePlace {
  case beginning
  case after(String)
}

/// A stream, and up to which version it is archived.
struct ArchivableStream {
  let name: String
  let last: Int32
}

extension [ArchivableStream] {
  var names: Parameter { .textArray(map(\.name)) }
  var ends: Parameter { .int4Array(map(\.last)) }
}

/// Up to which position events may be moved.
struct ArchiveLimit {
  /// Nil for all events.
  let bound: ArchiveBound?

  static let none = ArchiveLimit(bound: nil)

  /// The condition on the event `e`.
  var isBelow: SQL { bound.map { "e.position <= \($0.position)" } ?? "true" }
}

/// The places of events that are moved in one transaction.
struct ArchiveChunk {
  var names: [String] = []
  var versions: [Int32] = []
  private(set) var positions: ClosedRange<Int64>?

  mutating func add(_ row: borrowing Row) {
    names.append(row.string("aggregate_id"))
    versions.append(row.int32("version"))
    guard let position = row.optionalInt64("position") else { return }
    positions =
      min(positions?.lowerBound ?? position, position)...max(positions?.upperBound ?? position, position)
  }

  var count: Int { names.count }
}
