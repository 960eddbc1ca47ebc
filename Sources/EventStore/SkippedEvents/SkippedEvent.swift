internal import LibPQ

/// An event that projections, rebuilds and replays leave out, because an operator said so.
public struct SkippedEvent: Sendable, Hashable {
  /// The event's place in the whole store.
  public let position: Int64
  /// The id of the event.
  public let id: EventID
  /// The aggregate of the event.
  public let aggregateID: String
  /// The event's place in its stream.
  public let version: Int32
  /// The event's type.
  public let eventType: String
  /// Why.
  public let reason: String
  /// The role that decided it.
  public let role: String
  /// When.
  public let skippedAt: Timestamp
}

/// What it meant to skip an event.
public struct SkipResult: Sendable, Hashable {
  /// The event, as it is in the list now.
  public let event: SkippedEvent
  /// Whether it was in the list before.
  public let wasSkipped: Bool
  /// Dead letters of the event that were discarded with it.
  public let deadLetters: Int
}

extension EventStore {
  /// Has projections, rebuilds and replays leave an event out from their next transaction on; its dead letters are
  /// discarded. Read models that have applied it keep it, and states and snapshots do not know the list.
  ///
  /// The reason is that of ``giveReason(_:)``, and stays with the event.
  ///
  /// - Throws: ``EventStoreError``: `notFound` when there is no such event, `invalidInput` without a reason, `locked`
  ///   while another session retries its dead letters.
  @discardableResult
  public func skip(_ event: EventReference) async throws -> SkipResult {
    try await perform { try $0.skip(event) }
  }

  /// Takes back that an event is skipped. Who has passed it meanwhile does not come back to it.
  ///
  /// - Throws: ``EventStoreError``: `notFound` when it is not skipped.
  @discardableResult
  public func unskip(_ event: EventReference) async throws -> SkippedEvent {
    try await perform { try $0.unskip(event) }
  }

  /// Whether readers leave out any event; a warning says so if the role may not read which.
  package func skipsEvents() async throws -> Bool {
    try await read { try $0.skipsEvents() }
  }

  /// The events that are skipped, by position.
  public func skippedEvents() async throws -> [SkippedEvent] {
    try await read { try $0.skippedEvents() }
  }

  /// The same; none if there is no list, or the role may not read it.
  package func knownSkippedEvents() async throws -> [SkippedEvent] {
    try await read { try $0.knownSkippedEvents() }
  }
}

extension SkippedEvent {
  /// Who decided it, when and why.
  package var summary: String { "skipped by \(role) at \(skippedAt): \(reason)" }

  static let fields = "position, event_id, aggregate_id, version, event_type, reason, role, skipped_at"

  init(_ row: borrowing Row) {
    position = row.int64("position")
    id = row.eventID("event_id")
    aggregateID = row.string("aggregate_id")
    version = row.int32("version")
    eventType = row.string("event_type")
    reason = row.string("reason")
    role = row.string("role")
    skippedAt = row.timestamp("skipped_at")
  }
}
