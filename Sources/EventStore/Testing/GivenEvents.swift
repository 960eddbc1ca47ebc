internal import LibPQ

/// A given event of a test, with the checks of `append`.
struct GivenEvent: Sendable {
  let event: EventLine
  /// The text that contains its payload and metadata.
  let bytes: [UInt8]
  let file: String
  let location: SQLLocation
  /// Its place in its stream, and its number in the test.
  let version: Int
  let position: Int64

  /// The given id; without one, the position as its last digits.
  var id: EventID { event.id ?? EventID(high: 0, low: UInt64(position)) }
  /// The given time; without one, as many seconds after the first of January 2000 as the position says.
  var timestamp: Timestamp { event.timestamp ?? Timestamp(microseconds: position * 1_000_000) }
}

/// Numbers the events of a test.
struct GivenStream: Sendable {
  private var parser = EventLineParser()
  private var heads: [[UInt8]: Int] = [:]
  private var count: Int64 = 0

  /// Checks the events of a section.
  ///
  /// - Parameter opening: the place for an error that there are none.
  mutating func events(
    _ texts: [GivenText],
    of file: String,
    opening: SQLLocation
  ) throws(SQLFileError) -> [GivenEvent] {
    guard !texts.isEmpty else {
      throw SQLFileError(
        file: file,
        location: opening,
        message: "no events here",
        hint: #"Write one as -- {"aggregate_id": "order-1", "event_type": "OrderPaid", "event_data": {}}"#
      )
    }
    var events: [GivenEvent] = []
    for text in texts { events.append(try event(text, of: file)) }
    return events
  }

  private mutating func parse(_ text: GivenText, of file: String) throws(SQLFileError) -> EventLine {
    do {
      return try parser.parse(text.bytes.span, line: text.line)
    } catch {
      let field = error.field.map { name in name + ": " } ?? ""
      throw SQLFileError(
        file: file,
        location: text.location(of: error.byteColumn - 1),
        message: "not an event: " + field + error.message,
        hint: error.hint
      )
    }
  }

  private mutating func event(_ text: GivenText, of file: String) throws(SQLFileError) -> GivenEvent {
    let event = try parse(text, of: file)
    let head = heads[event.aggregateID] ?? 0
    let isNext =
      event.version.map { $0 == head + 1 } ?? event.expectedVersion?.allowedHeads.contains(head) ?? true
    guard isNext else {
      throw SQLFileError(
        file: file,
        location: text.location(of: text.bytes.prefix(while: JSONScanner.isWhitespace).count),
        message: "the event does not follow version \(head) of its stream",
        hint: "Leave version and expected_version out: events are numbered as they come."
      )
    }
    heads[event.aggregateID] = head + 1
    count += 1
    return GivenEvent(
      event: event,
      bytes: text.bytes,
      file: file,
      location: text.location(of: text.bytes.prefix(while: JSONScanner.isWhitespace).count),
      version: head + 1,
      position: count
    )
  }
}

extension StoreConnection {
  /// Stores the events of a test, in the transaction of the caller.
  func store(_ events: [GivenEvent]) throws {
    guard !events.isEmpty, let error = try refusal(of: events) else { return }
    // Again, one by one, to find out which one it is.
    for event in events {
      guard let cause = try refusal(of: [event]) else { continue }
      throw SQLFileError(
        file: event.file,
        location: event.location,
        message: "the event cannot be stored: \(cause.message)",
        hint: cause.hint
      )
    }
    throw error
  }

  /// Stores events; returns why the server refuses them, and then none of them is stored.
  private func refusal(of events: [GivenEvent]) throws -> PostgresError? {
    do {
      try connection.savepoint { try insert(events) }
    } catch let error as PostgresError {
      if error.isRefusedData { return error }
      throw error
    }
    return nil
  }

  private func insert(_ events: [GivenEvent]) throws(PostgresError) {
    let sql = SQLTemplate.givenEvents.filled(["events": table.sql])
    let ids: [(high: UInt64, low: UInt64)] = events.map { event in (event.id.high, event.id.low) }
    let payloads: [ArraySlice<UInt8>?] = events.map { event in event.bytes[event.event.data] }
    let metadata: [ArraySlice<UInt8>?] = events.map { event in
      guard let place = event.event.metadata else { return nil }
      return event.bytes[place]
    }
    let times: [Int64?] = events.map { event in event.timestamp.microseconds }
    var parameters: [Parameter] = [Parameter.uuidArray(ids)]
    parameters.append(Parameter.textArray(utf8: events.map { event in event.event.aggregateID }))
    parameters.append(Parameter.textArray(utf8: events.map { event in event.event.eventType }))
    parameters.append(Parameter.jsonbArray(payloads))
    parameters.append(Parameter.int4Array(events.map { event in Int32(event.version) }))
    parameters.append(Parameter.timestamptzArray(times))
    parameters.append(Parameter.jsonbArray(metadata))
    _ = try connection.query(sql, parameters)
  }
}
