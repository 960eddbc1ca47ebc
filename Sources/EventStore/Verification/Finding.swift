/// A fault that a check of the store found.
public struct Finding: Sendable, Hashable {
  /// What is wrong.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Versions are missing between two events of a stream.
    case gap
    /// A stream holds a version more than once.
    case duplicateVersion = "duplicate_version"
    /// A stream begins later than it should.
    case wrongFirstVersion = "wrong_first_version"
    /// An event has no version, or one below the first.
    case invalidVersion = "invalid_version"
  }

  /// How bad it is.
  public enum Severity: String, Sendable, Hashable {
    /// The store contradicts itself.
    case error
    /// Strange, but it can come about without a fault in the store.
    case warning
  }

  public var kind: Kind
  public var severity: Severity
  /// The stream concerned; nil when the finding is of the store as a whole.
  public var aggregateID: String?
  /// The version concerned; the first missing one when versions are missing.
  public var version: Int?
  /// The last of the versions concerned, when there are several in a row.
  public var lastVersion: Int?
  /// The place in the whole store of the event concerned, or of the event after what is missing.
  public var position: Int64?
  /// The facts, in a sentence.
  public var detail: String
}
