/// Which streams are archived; conditions that are set together must all hold.
public struct ArchiveSelection: Sendable, Hashable {
  /// Only these streams; all when empty.
  public var streams: [String] = []
  /// Only streams of this category.
  public var category: String?
  /// Only streams whose last event happened before this time.
  public var before: Timestamp?
  /// Only streams whose last event is of one of these types.
  public var closingTypes: [String] = []
  /// Of each stream only what comes before its last snapshot. With snapshots of several reducers, the lowest of their last
  /// ones counts. Streams without a snapshot stay as they are.
  public var keepsFromSnapshot = false

  /// All streams.
  public init() {}
}

/// What would be archived.
public struct ArchivePlan: Sendable, Hashable {
  /// The table that the events would be moved to.
  public let archive: QualifiedName
  /// Streams with events to archive.
  public internal(set) var streams: Int64 = 0
  /// Events to archive.
  public internal(set) var events: Int64 = 0
  /// The reader that keeps later events in the table; nil when no such event would be archived.
  public internal(set) var heldBy: ArchiveBound?
  /// Events that it keeps in the table.
  public internal(set) var held: Int64 = 0
}

/// What keeps events in the table.
public struct ArchiveBound: Sendable, Hashable {
  /// Such as "projection orders"; nil for the last event of the store, which always stays.
  public let reader: String?
  /// The last position that may be archived.
  public let position: Int64
}

/// How events are archived.
public struct ArchiveOptions: Sendable {
  /// Events in a transaction.
  public var chunkSize = 5_000
  /// Called on the store's thread after every transaction.
  public var onProgress: (@Sendable (EventStore.Progress) -> Void)?

  /// In transactions of 5,000 events.
  public init() {}
}

/// What was moved.
public struct ArchiveResult: Sendable, Hashable {
  /// The table with the archived events.
  public let archive: QualifiedName
  /// Events that were moved.
  public internal(set) var events: Int64 = 0
  /// The reader that kept other events in the table; nil if none had to stay.
  public internal(set) var heldBy: ArchiveBound?
  /// Events that it kept in the table.
  public internal(set) var held: Int64 = 0
}
