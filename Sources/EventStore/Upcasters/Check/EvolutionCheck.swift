/// What a check of upcasters found.
public struct EvolutionFinding: Sendable, Hashable {
  /// The fault, or the possible fault.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The upcasters fail for an event.
    case failure
    /// An event's payload becomes NULL, which no store holds.
    case noPayload = "no_payload"
    /// A rule would change its outcome again, or fail for it.
    case notIdempotent = "not_idempotent"
    /// A member becomes null that was not null.
    case nullAppears = "null_appears"
    /// A member gets values of another JSON type.
    case typeChanges = "type_changes"
    /// A rule is for a type that no event has and no earlier rule produces.
    case noEvents = "no_events"
    /// No rule and no projection knows the type.
    case unhandled
  }

  /// The fault, or the possible fault.
  public var kind: Kind
  /// The stored type.
  public var eventType: String
  /// The member, in jq's notation.
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

/// The result of a check of upcasters.
public struct EvolutionCheckResult: Sendable, Hashable {
  /// Events that went through the upcasters: those of the types that they name.
  public internal(set) var events: Int64 = 0
  /// Events that the upcasters change.
  public internal(set) var changed: Int64 = 0
  /// Findings by kind, including those that were not kept.
  public internal(set) var counts: [EvolutionFinding.Kind: Int64] = [:]
  /// The findings that were kept; of failures at most the number in the options.
  public internal(set) var findings: [EvolutionFinding] = []
}

/// What to check, and how much of it.
public struct EvolutionCheckOptions: Sendable {
  /// About how many events go through the upcasters; nil for all.
  public var sample: Int?
  /// About how many events of each type have their shapes compared; nil for all.
  public var comparedPerType: Int? = 1000
  /// Failures that are named; all are counted.
  public var failureLimit = 100
  /// Projection files: the types that they handle are known. Those of live projections always are.
  public var projections: [Projection] = []

  /// All events, and the first hundred failures.
  public init() {}
}
