/// An export that is read back.
public struct ExportFile: Sendable {
  /// For messages.
  public let name: String
  /// In bytes; nil if it is not known.
  public let size: Int64?
  /// Whether it can be read again from its beginning.
  let isRereadable: Bool
  let open: @Sendable () throws -> @Sendable () throws -> [UInt8]?

  /// A file that can be read several times.
  ///
  /// - Parameters:
  ///   - name: for messages.
  ///   - size: in bytes.
  ///   - open: opens the file; the closure that it returns gives the next bytes, and nil at the end.
  public init(
    _ name: String,
    size: Int64? = nil,
    opening open: @escaping @Sendable () throws -> @Sendable () throws -> [UInt8]?
  ) {
    (self.name, self.size, self.open, isRereadable) = (name, size, open, true)
  }

  /// An input that can be read only once, such as a pipe.
  ///
  /// - Parameters:
  ///   - name: for messages.
  ///   - read: gives the next bytes, and nil at the end.
  public init(_ name: String, reading read: @escaping @Sendable () throws -> [UInt8]?) {
    (self.name, size, open, isRereadable) = (name, nil, { read }, false)
  }

  /// Begins to read it.
  func reader() throws -> ExportReader { try ExportReader(name, open()) }
}

/// How exports are restored.
public struct RestoreOptions: Sendable {
  /// Also restore events below the last event of the store, which readers may have passed.
  public var restoresMissing = false
  /// Find out what would be done, and change nothing.
  public var isDryRun = false
  /// Called, on the store's thread, with the progress.
  public var onProgress: (@Sendable (RestoreProgress) -> Void)?

  /// Only events above the last one of the store.
  public init() {}
}

/// How far a restore has come.
public struct RestoreProgress: Sendable, Hashable {
  /// What is done with the files.
  public enum Phase: Sendable, Hashable {
    /// Each file is read to its end, and its root is verified.
    case proving
    /// The events are looked up in the store.
    case comparing
    /// The events are stored.
    case storing
  }

  /// What is being done now.
  public let phase: Phase
  /// How many bytes of all files were read in this phase.
  public let bytes: Int64
  /// How many bytes there are to read; nil if that is not known.
  public let totalBytes: Int64?
  /// The events that were read in this phase.
  public let events: Int64
}

/// The result of a restore.
public struct RestoreResult: Sendable, Hashable {
  /// The files that were read.
  public internal(set) var files = 0
  /// The events in them.
  public internal(set) var events: Int64 = 0
  /// The events that were stored; in a dry run, the events that would be stored.
  public internal(set) var restored: Int64 = 0
  /// The lowest position of the restored events; nil without any, or without positions.
  public internal(set) var lowestRestored: Int64?
  /// The events that were there already, the same in all columns.
  public var existing: Int64 { events - restored }
  /// The readers that have passed restored events, and will not see them.
  public internal(set) var passedReaders: [StoreHealth.Reader] = []
}
