/// A difference between the events of two stores.
///
/// The first store is *here*, the other one is *there*.
public struct StoreDifference: Sendable, Hashable {
  /// How they differ.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Only the first store has the events.
    case onlyHere = "only_here"
    /// Only the other store has the events.
    case onlyThere = "only_there"
    /// Both have events of these versions, but not the same ones.
    case changed
    /// Both have the events, at other versions.
    case moved
  }

  /// A field of an event that is not the same in both.
  public struct FieldDifference: Sendable, Hashable {
    /// In jq's notation, for example `.event_data.items[0].price`.
    public let path: String
    /// JSON text; nil if the event of the first store does not have it.
    public let here: String?
    /// JSON text; nil if the event of the other store does not have it.
    public let there: String?
  }

  /// How they differ.
  public let kind: Kind
  /// The stream.
  public let aggregateID: String
  /// The version of the first event; nil if it has none.
  public let version: Int?
  /// The version of the last of several consecutive events.
  public let lastVersion: Int?
  /// The version of the first event in the other store, if it moved.
  public let versionThere: Int?
  /// How many events there are.
  public let events: Int
  /// What differs in a changed event of a named stream; each differing field is a difference of its own.
  public internal(set) var field: FieldDifference?
}

/// The result of a comparison.
public struct ComparisonResult: Sendable, Hashable {
  /// What was compared of one store.
  public struct Extent: Sendable, Hashable {
    /// The events.
    public internal(set) var events: Int64 = 0
    /// The streams that they belong to.
    public internal(set) var aggregates: Int64 = 0
  }

  typealias Extents = (here: Extent, there: Extent)

  /// What was read of the first store.
  public internal(set) var here = Extent()
  /// What was read of the other store.
  public internal(set) var there = Extent()
  /// The streams that differ.
  public internal(set) var differingAggregates: Int64 = 0
  /// The events that differ, by kind.
  public internal(set) var counts: [StoreDifference.Kind: Int64] = [:]

  /// Whether no difference was found.
  public var isEqual: Bool { counts.isEmpty }
}

extension StoreDifference {
  /// The differences between two readings of a stream, in the order of versions. The same change of several consecutive
  /// versions is one difference.
  static func between(
    here: [EventDigest],
    there: [EventDigest],
    aggregateID: String,
    inRuns isInRuns: Bool = true
  ) -> [StoreDifference] {
    let pairs = EventPairs(here, there)
    let events =
      pairs.moved.map { EventDifference(kind: .moved, version: $0.from, versionThere: $0.to) }
      + pairs.changed.map { EventDifference(kind: .changed, version: $0, versionThere: $0) }
      + pairs.lost.map { EventDifference(kind: .onlyHere, version: $0, versionThere: $0) }
      + pairs.added.map { EventDifference(kind: .onlyThere, version: $0, versionThere: $0) }
    var runs: [(first: EventDifference, last: EventDifference)] = []
    for event in events.sorted(by: { $0.version < $1.version }) {
      if isInRuns, let last = runs.last?.last, event.continues(last) {
        runs[runs.count - 1].last = event
      } else {
        runs.append((event, event))
      }
    }
    return runs.map { StoreDifference($0.first, to: $0.last, of: aggregateID) }
  }

  private init(_ first: EventDifference, to last: EventDifference, of aggregateID: String) {
    func version(_ number: Int32) -> Int? { number == .min ? nil : Int(number) }
    self.init(
      kind: first.kind,
      aggregateID: aggregateID,
      version: version(first.version),
      lastVersion: first.version == last.version ? nil : Int(last.version),
      versionThere: first.kind == .moved ? version(first.versionThere) : nil,
      events: Int(last.version) - Int(first.version) + 1
    )
  }

  /// The chains of hashes differ, but the beginnings of the hashes do not: somebody forged 48 bits.
  static func changedUnnamed(_ stream: StreamDigest) -> StoreDifference {
    StoreDifference(
      kind: .changed,
      aggregateID: stream.name,
      version: nil,
      lastVersion: nil,
      versionThere: nil,
      events: stream.events.count
    )
  }
}

/// How one event differs. An event without a version has the lowest number.
private struct EventDifference {
  let kind: StoreDifference.Kind
  let version: Int32
  let versionThere: Int32

  /// Whether the version before had the same change.
  func continues(_ previous: EventDifference) -> Bool {
    kind == previous.kind && Int64(version) == Int64(previous.version) + 1
      && Int64(versionThere) == Int64(previous.versionThere) + 1
  }
}
