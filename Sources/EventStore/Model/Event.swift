/// One event as it is stored.
public struct Event: Sendable, Hashable, Identifiable {
  /// The event's identity; appending it twice stores it once.
  public var id: EventID
  /// The aggregate whose stream the event belongs to, 1 to 255 characters.
  public var aggregateID: String
  /// The event type, 1 to 100 characters.
  public var type: String
  /// The payload, JSON text as PostgreSQL's jsonb prints it.
  public var data: String
  /// The event's place in its stream, from 1, or from 0 in a store of another framework that counts from 0.
  public var version: Int
  /// When the event happened.
  public var timestamp: Timestamp
  /// What the application noted besides the payload, JSON text; nil when there is none.
  public var metadata: String?
  /// The event's place in the whole store; nil in a table without one.
  public var position: Int64?

  /// An event as a read would return it.
  public init(
    id: EventID,
    aggregateID: String,
    type: String,
    data: String,
    version: Int,
    timestamp: Timestamp,
    metadata: String? = nil,
    position: Int64? = nil
  ) {
    self.id = id
    self.aggregateID = aggregateID
    self.type = type
    self.data = data
    self.version = version
    self.timestamp = timestamp
    self.metadata = metadata
    self.position = position
  }
}
