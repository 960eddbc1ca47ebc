internal import LibPQ
internal import Synchronization

/// The sums of a store's streams, in 1,024 buckets by the hash of their ids: the number of events in each bucket, and
/// the sum of their hashes.
///
/// A sum does not depend on the order of the events, so nothing is sorted, and only the sums are sent. This finds equal
/// stores in about half the time of hashing them stream by stream; if they differ, only the streams of the differing
/// buckets are read again. A server of another version or build may put ids into other buckets. Then the buckets
/// differ, since they have other events, and their streams are read.
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

  /// The bucket of the event `e`. It does not depend on how a collation compares ids.
  static let bucket = "(hashtextextended(e.aggregate_id::text COLLATE \"C\", 0) & \(count - 1))::int"

  /// Which streams to read: to search for more than half of the buckets costs more than to read all.
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

/// Where the threads that read two stores for a comparison exchange what they found.
struct ComparisonMeeting: Sendable {
  /// From the thread of the other store.
  let sums = Handover<BucketSums>()
  /// The streams that the thread of the other store is to read.
  let differing = Handover<BucketSums.Part>()
}

/// Passes one value from a thread to another one that waits for it. Both belong to stores and may block.
final class Handover<Value: Sendable>: Sendable {
  private let value = Mutex<Result<Value, any Error>?>(nil)

  /// The first value counts.
  func put(_ value: Result<Value, any Error>) {
    self.value.withLock { if $0 == nil { $0 = value } }
  }

  /// - Throws: the reason why there is no value; `CancellationError` when the task was cancelled.
  func take() throws -> Value {
    while true {
      if let value = value.withLock(\.self) { return try value.get() }
      try Task.checkCancellation()
      DigestQueue.wait()
    }
  }
}
