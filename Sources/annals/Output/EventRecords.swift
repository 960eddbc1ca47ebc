internal import ArgumentParser
internal import EventStore

/// An event for programs: the fields of the NDJSON lines.
struct EventRecord: Record {
  let event: Event

  static let columns = [
    "position", "aggregate_id", "version", "event_type", "timestamp", "id", "event_data", "metadata",
  ].map(Column.init)

  var fields: [Field] {
    [
      Field(event.position), .text(event.aggregateID), .integer(Int64(event.version)), .text(event.type),
      .text(event.timestamp.description), .text(event.id.description), .json(event.data),
      event.metadata.map { .json($0) } ?? .null,
    ]
  }
}

/// How much of a payload people see.
enum PayloadDisplay: String, CaseIterable, ExpressibleByArgument {
  /// Over several lines below the event, metadata as well.
  case full
  /// On the event's own line, cut at the terminal's edge.
  case compact
  case none

  func field(_ event: Event) -> Field {
    self == .compact ? .json(event.data) : .null
  }

  func lines(_ event: Event) -> [String] {
    guard self == .full else { return [] }
    return PrettyJSON.lines(event.data) + (event.metadata.map { ["metadata"] + PrettyJSON.lines($0) } ?? [])
  }
}

/// An event of one stream, for people.
struct StreamRow: Record {
  let event: Event
  /// When the event shown before it happened.
  let previous: Timestamp?
  let payload: PayloadDisplay

  static let columns = ["version", "time", "interval", "event_type", "payload"].map(Column.init)
  static let coloredColumn: Int? = 3

  var fields: [Field] {
    [
      .integer(Int64(event.version)), .text(event.timestamp.description),
      Field(previous.map { Interval(from: $0, to: event.timestamp).description }), .text(event.type),
      payload.field(event),
    ]
  }

  var lines: [String] { payload.lines(event) }
}

/// An event among those of other streams, for people.
struct StoreRow: Record {
  let event: Event
  let payload: PayloadDisplay

  static let columns = ["position", "aggregate", "version", "time", "event_type", "payload"].map(Column.init)
  static let coloredColumn: Int? = 4

  var fields: [Field] {
    [
      Field(event.position), .text(event.aggregateID), .integer(Int64(event.version)),
      .text(event.timestamp.description), .text(event.type), payload.field(event),
    ]
  }

  var lines: [String] { payload.lines(event) }
}
