/// An event to append. The append gives it its aggregate and version.
public struct NewEvent: Sendable, Hashable {
  /// The event's identity. An event that is appended again after a lost answer is stored once.
  public var id: EventID
  /// The event type, 1 to 100 characters.
  public var type: String
  /// The payload: JSON text of any value but null.
  public var data: String
  /// What the application notes besides the payload: JSON text.
  public var metadata: String?
  /// When the event happened; nil for the server's time at the append.
  public var timestamp: Timestamp?

  /// An event with a new id, unless one is given.
  public init(
    id: EventID = EventID(),
    type: String,
    data: String = "{}",
    metadata: String? = nil,
    timestamp: Timestamp? = nil
  ) {
    self.id = id
    self.type = type
    self.data = data
    self.metadata = metadata
    self.timestamp = timestamp
  }
}

/// Where an appended event is.
public struct AppendReceipt: Sendable, Hashable {
  /// Whether the event was new.
  public enum Status: String, Sendable, Hashable {
    /// This append stored the event.
    case appended
    /// An earlier append had stored the same event.
    case existing
  }

  /// The aggregate whose stream the event is in.
  public var aggregateID: String
  /// The event's place in its stream, from 1.
  public var version: Int
  /// The event's place in the whole store; nil in a table without one.
  public var position: Int64?
  /// The event's identity.
  public var id: EventID
  /// Whether this append stored it.
  public var status: Status
}
