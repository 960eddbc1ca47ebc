/// A fault that a check of the store found.
public struct Finding: Sendable, Hashable {
  /// The kind of fault.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Versions are missing between two events of a stream.
    case gap
    /// A stream holds a version more than once.
    case duplicateVersion = "duplicate_version"
    /// A stream begins later than it should.
    case wrongFirstVersion = "wrong_first_version"
    /// An event has no version, or one below the first.
    case invalidVersion = "invalid_version"
    /// A later version is at an earlier position.
    case positionOrder = "position_order"
    /// Several events have one id, or an event has none.
    case duplicateID = "duplicate_id"
    /// Several events have one position, or an event has none.
    case duplicatePosition = "duplicate_position"
    /// A snapshot is of a version that its stream does not have.
    case snapshotAhead = "snapshot_ahead"
    /// A read model has applied positions that the store does not have: the events were restored to an earlier state.
    case checkpointAhead = "checkpoint_ahead"
    /// A reader has met other events up to its checkpoint than the store has there: an event came below the checkpoint
    /// after the reader had passed, or one was removed.
    case checkpointDiffers = "checkpoint_differs"
    /// An event came where readers had passed a hole in the positions, so they have not seen it.
    case lateEvent = "late_event"
    /// An operator has readers leave the event out.
    case eventSkipped = "event_skipped"
    /// A later version has an earlier time; clock skew is enough.
    case timeOrder = "time_order"
    /// The table has no positions, so checks of positions were left out.
    case classicTable = "classic_table"
    /// Readers that continue from a position could skip events; see ``PositionFault``.
    case positionsNotFinal = "positions_not_final"
    /// The sequence of the positions is not above the existing events.
    case sequenceBehind = "sequence_behind"
    /// No event has a position; looked for only with ``VersionCheck/explains``.
    case positionHole = "position_hole"
    /// An event is not the one that the manifest has at its version.
    case eventChanged = "event_changed"
    /// An event is not the one that the manifest has, because it was redacted since: the hashes that were recorded with
    /// the redaction prove it.
    case eventRedacted = "event_redacted"
    /// An event of the manifest is gone.
    case eventRemoved = "event_removed"
    /// An event is among those of the manifest, which does not have it.
    case eventAdded = "event_added"
    /// An event of the manifest has another version now.
    case eventMoved = "event_moved"
    /// The last events of a stream in the manifest are gone.
    case streamCutOff = "stream_cut_off"

    /// Kinds that the versions alone show; an index answers these checks.
    public static let versions: Set<Kind> = [.gap, .duplicateVersion, .wrongFirstVersion, .invalidVersion]
    /// Kinds that only a manifest shows.
    public static let integrity: Set<Kind> = [
      .eventChanged, .eventRedacted, .eventRemoved, .eventAdded, .eventMoved, .streamCutOff,
    ]
  }

  /// The severity of a finding.
  public enum Severity: String, Sendable, Hashable {
    /// The store contradicts itself.
    case error
    /// Unusual, but possible without a fault in the store.
    case warning
    /// Intended, and recorded.
    case info
  }

  /// The kind of fault.
  public var kind: Kind
  /// Whether it is an error, a warning or only information.
  public var severity: Severity
  /// The stream concerned; nil when the finding is of the store as a whole.
  public var aggregateID: String?
  /// The version concerned; the first missing one when versions are missing.
  public var version: Int?
  /// The last of several consecutive versions.
  public var lastVersion: Int?
  /// The place in the whole store of the event concerned, or of the event after missing ones.
  public var position: Int64?
  /// The facts, in a sentence.
  public var detail: String
  /// The likely cause of missing versions or positions, if it was requested.
  public var explanation: Explanation?
}
