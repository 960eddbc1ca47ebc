/// What a check of upcasters found.
public struct EvolutionFinding: Sendable, Hashable {
  /// What is wrong, or may be.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The upcasters fail for an event.
    case failure
    /// An event's payload becomes NULL, which no store holds.
    case noPayload = "no_payload"
    /// A rule would change what came out once more, or fail for it.
    case notIdempotent = "not_idempotent"
    /// A member becomes null that was not.
    case nullAppears = "null_appears"
    /// A member gets values of another JSON type.
    case typeChanges = "type_changes"
    /// A rule is for a type of which there is no event, and no rule before it makes one.
    case noEvents = "no_events"
    /// No rule and no projection knows the type.
    case unhandled
  }

  /// What is wrong, or may be.
  public var kind: Kind
  /// As it is stored.
  public var eventType: String
  /// The member, as jq writes it.
  public var path: String?
  /// How many events it is about; for a failure 1.
  public var events: Int64
  /// The event, or the first of them.
  public var aggregateID: String?
  /// The version of that event.
  public var version: Int?
  /// The position of that event.
  public var position: Int64?
  /// The rules concerned, as `file:line`.
  public var rules: [String]
  /// The facts, in a sentence.
  public var detail: String
}

/// What a check of upcasters went through.
public struct EvolutionCheckResult: Sendable, Hashable {
  /// Events that went through the upcasters: those of the types that they name.
  public internal(set) var events: Int64 = 0
  /// Events that came out changed.
  public internal(set) var changed: Int64 = 0
  /// Findings by kind, those that were not kept included.
  public internal(set) var counts: [EvolutionFinding.Kind: Int64] = [:]
  /// The findings that were kept; of failures at most as many as were asked for.
  public internal(set) var findings: [EvolutionFinding] = []
}

/// What to check, and how much of it.
public struct EvolutionCheckOptions: Sendable {
  /// About as many events go through the upcasters; nil for all.
  public var sample: Int?
  /// About as many events of each type have their shapes compared; nil for all.
  public var comparedPerType: Int? = 1000
  /// Failures that are named; all are counted.
  public var failureLimit = 100
  /// Projection files: the types that they handle are known. Those of live projections always are.
  public var projections: [Projection] = []

  /// All events, and the first hundred failures.
  public init() {}
}
