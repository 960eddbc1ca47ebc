internal import EventStore

/// An event for programs: the fields of the NDJSON lines.
extension Event: Record {
  static let columns: [Column<Self>] = [
    Column("position", style: .optional) { Field($0.position) },
    Column("aggregate_id") { .text($0.aggregateID) },
    Column("version") { Field($0.version) },
    .type("event_type") { $0.type },
    .time("timestamp") { $0.timestamp },
    Column("id") { .text("\($0.id)") },
    Column("event_data") { .json($0.data) },
    Column("metadata", style: .optional) { Field(json: $0.metadata) },
  ]
}

/// An event of one stream, for people.
struct StreamEventRecord: Record {
  let event: Event
  /// The time of the event that is shown before it.
  let previous: Timestamp?
  /// The versions that are missing before it, and that readers leave it out.
  let marks: [String]
  let payload: PayloadDisplay

  static let columns = shown + Event.columns.of(\.event).besides(shown)

  private static let shown: [Column<Self>] = [
    Column("version") { Field($0.event.version) },
    .time("time") { $0.event.timestamp },
    Column("interval", .least) { Field($0.interval) },
    .type("event_type", style: .colored) { $0.event.type },
    Column("payload", .low, widths: 16...48) { $0.payload.field($0.event) },
  ]

  private var interval: String? { previous.map { "\(Interval(from: $0, to: event.timestamp))" } }

  var lines: [String] { marks + payload.lines(event) }
}

/// An event in a list with other streams, for people.
struct StoreEventRecord: Record {
  let event: Event
  /// That readers leave it out.
  let skip: String?
  let payload: PayloadDisplay

  static let columns = shown + Event.columns.of(\.event).besides(shown)

  private static let shown: [Column<Self>] = [
    Column("position") { Field($0.event.position) },
    Column("aggregate") { .text($0.event.aggregateID) },
    Column("version", .least) { Field($0.event.version) },
    .time("time") { $0.event.timestamp },
    .type("event_type", style: .colored) { $0.event.type },
    Column("payload", .low, widths: 16...48) { $0.payload.field($0.event) },
  ]

  var lines: [String] { [skip].compactMap(\.self) + payload.lines(event) }
}
