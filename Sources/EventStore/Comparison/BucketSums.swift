internal import LibPQ
internal import Synchronization

/// What the streams of a store come to, in 1,024 buckets by the hash of their ids: how many events each bucket has, and the sum
/// of their hashes.
///
/// A sum is the same in whatever order the events are read, so that nothing is sorted and nothing but the sums is sent. Equal
/// stores are known by it in about half the time that it takes to hash them stream by stream; where they differ, only the
/// streams of these buckets are read again. Ids may go into other buckets on a server of another version or make. Then the
/// buckets differ and their streams are read, as their sums are of other events.
struct BucketSums: Sendable {
  private struct Bucket: Hashable {
    let events: Int64
    let sum: ByteString
  }

  private var buckets: [Int32: Bucket] = [:]
  /// What was read.
  private(set) var extent = ComparisonResult.Extent()

  /// The streams of some buckets.
  enum Part: Sendable, Hashable {
    case all
    case buckets([Int32])

    var isEmpty: Bool { self == .buckets([]) }

    /// Conditions on the event `e`.
    var conditions: [SQL] {
      switch self {
      case .all: []
      case .buckets(let numbers): ["\(raw: BucketSums.bucket) = ANY (\(Parameter.int4Array(numbers)))"]
      }
    }
  }

  static let count = 1024

  /// The bucket of the event `e`. How a collation compares ids does not matter.
  static let bucket = "(hashtextextended(e.aggregate_id::text COLLATE \"C\", 0) & \(count - 1))::int"

  /// Whose streams are to be read: to look for more than half of the buckets costs more than to read all.
  func difference(from other: BucketSums) -> Part {
    let numbers = Set(buckets.keys).union(other.buckets.keys).filter { buckets[$0] != other.buckets[$0] }
    return numbers.count > Self.count / 2 ? .all : .buckets(numbers.sorted())
  }
}

extension StoreConnection {
  func sums(of comparison: Comparison, in table: EventsTable) throws -> BucketSums {
    let sql = SQLTemplate.bucketSums.statement([
      "bucket": "\(raw: BucketSums.bucket)", "events": "\(raw: table.relation)",
      "timestamp": "\(raw: table.time)",
      "metadata": "\(raw: table.metadata)", "condition": comparison.conditions(in: table).conjunction,
    ])
    return BucketSums(try connection.query(sql))
  }
}

extension BucketSums {
  fileprivate init(_ rows: borrowing QueryResult) {
    rows.forEachRow { row in
      guard let number = row.optionalInt64("bucket") else {
        extent.aggregates = row.int64("events")
        return
      }
      let bucket = Bucket(events: row.int64("events"), sum: ByteString(row.string("sum")))
      buckets[Int32(number)] = bucket
      extent.events += bucket.events
    }
  }
}

/// Where the threads that read two stores for a comparison hand each other what they found out.
struct ComparisonMeeting: Sendable {
  /// From the thread of the other store.
  let sums = Handover<BucketSums>()
  /// Whose streams the thread of the other store is to read.
  let differing = Handover<BucketSums.Part>()
}

/// Hands one value from a thread to another one, which waits for it. Both belong to stores and may block.
final class Handover<Value: Sendable>: Sendable {
  private let value = Mutex<Result<Value, any Error>?>(nil)

  /// The first value counts.
  func put(_ value: Result<Value, any Error>) {
    self.value.withLock { if $0 == nil { $0 = value } }
  }

  /// - Throws: why there is no value; `CancellationError` when the task was cancelled.
  func take() throws -> Value {
    while true {
      if let value = value.withLock(\.self) { return try value.get() }
      try Task.checkCancellation()
      DigestQueue.wait()
    }
  }
}
