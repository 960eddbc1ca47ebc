internal import LibPQ

/// What the unique indexes of a table of events guarantee.
///
/// A partitioned table can have only unique keys that contain its partition key. If it is partitioned by time, none of
/// them keeps ids or versions apart. Writers then wait for each other, and look for events before they store them.
struct UniqueKeys: Sendable, Hashable {
  /// An id is unique in the table.
  private let isIDUnique: Bool
  /// An id is unique in its stream. On Citus every unique key of a distributed table contains the aggregate's id.
  private let isIDUniqueInStream: Bool
  /// A version is unique in its stream.
  private let isVersionUnique: Bool

  init(of table: QualifiedName, _ connection: Connection) throws(PostgresError) {
    let result = try connection.query(SQLTemplate.uniqueKeys.sql, [.text(table.sql)])
    isIDUnique = result[0].bool("is_id_unique")
    isIDUniqueInStream = result[0].bool("is_id_unique_in_stream")
    isVersionUnique = result[0].bool("is_version_unique")
  }

  /// Whether the table refuses an event that is stored already, and a version that is taken.
  var keepEventsApart: Bool { (isIDUnique || isIDUniqueInStream) && isVersionUnique }

  /// The columns of a unique key that finds an event; nil without any.
  var ofEvent: [String]? {
    if isIDUnique { return ["id"] }
    return isVersionUnique ? ["aggregate_id", "version"] : nil
  }

  /// Whether the same id in another stream is another event.
  var isIDOfAggregate: Bool { isIDUniqueInStream && !isIDUnique }
}

extension AdvisoryLock {
  /// Waits, to the end of the transaction, for others that append to a stream, or (nil) to any stream of such a table.
  ///
  /// With a lock for each stream, writers of other streams continue. A bulk input may touch thousands of streams, and
  /// the server has no room for a lock on each.
  static func awaitWriters(of table: QualifiedName, stream: String? = nil, _ connection: Connection) throws {
    let all: SQL = "\(named), hashtext(\("append \(table)"))"
    guard let stream else {
      _ = try connection.query("SELECT pg_advisory_xact_lock(\(all))")
      return
    }
    let one: SQL = "\(named), hashtext(\("append \(table) \(stream)"))"
    _ = try connection.query("SELECT pg_advisory_xact_lock_shared(\(all)), pg_advisory_xact_lock(\(one))")
  }
}
