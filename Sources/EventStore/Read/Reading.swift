internal import LibPQ

/// What a read came to.
public struct ReadSummary: Sendable, Hashable {
  /// Events that were read.
  public internal(set) var count = 0
  /// Position of the last of them; nil without one.
  public internal(set) var lastPosition: Int64?
}

extension EventStore {
  /// Writes the events that match as NDJSON, one event a line, in memory that does not grow with their number.
  ///
  /// A line has the fields position (where the table has it), aggregate_id, version, event_type, timestamp, id,
  /// event_data and metadata (where the event has any). Payloads are the text that PostgreSQL prints, byte for byte.
  ///
  /// - Parameter write: gets whole lines, about a megabyte at a time, on the store's thread; the server works on
  ///   the next ones meanwhile.
  /// - Throws: ``EventStoreError``; `notFound` when the query names a type, an aggregate or a category that the
  ///   store does not have; what `write` throws.
  @discardableResult
  public func writeNDJSON(
    _ query: EventQuery,
    to write: @Sendable ([UInt8]) throws -> Void
  ) async throws -> ReadSummary {
    try await perform { connection in
      var lines: [UInt8] = []
      return try readPages(query, connection) { page in
        lines.removeAll(keepingCapacity: true)
        for row in 0..<page.rowCount { page.appendNDJSON(row, to: &lines) }
        try write(lines)
      }
    }
  }

  /// Reads all that matches; the server works on the next page while `body` works on one.
  private func readPages(
    _ query: EventQuery,
    _ connection: Connection,
    _ body: (borrowing QueryResult) throws -> Void
  ) throws -> ReadSummary {
    var summary = ReadSummary()
    var pages = try openPages(query, connection)
    guard !pages.isExhausted else { return summary }
    try pages.send(connection)
    repeat {
      let page = try pages.receive(connection)
      if !pages.isExhausted { try pages.send(connection) }
      do {
        try body(page)
      } catch {
        if !pages.isExhausted { _ = try? connection.receive() }
        throw error
      }
      summary.count += page.rowCount
    } while !pages.isExhausted
    summary.lastPosition = pages.last?.position
    return summary
  }

  /// Prepares a read: settles where it ends, and refuses names that the store does not have.
  func openPages(_ query: EventQuery, _ connection: Connection) throws -> EventPages {
    let table = try layout(connection)
    var query = query
    if query.fromPosition != nil || query.toPosition != nil { try table.requirePosition(for: "a position") }
    if query.order == .position, table.hasPosition, query.waitsForWriters {
      let final = try finalPosition(connection)
      query.toPosition = min(query.toPosition ?? final, final)
    }
    try requireNames(in: query, table, connection)
    return EventPages(query, in: table)
  }

  /// A name that matches nothing is a mistake in the name far more often than an empty answer.
  private func requireNames(in query: EventQuery, _ table: EventsTable, _ connection: Connection) throws {
    func require(_ what: String, _ fill: (inout Conditions) -> Void) throws {
      var conditions = Conditions()
      fill(&conditions)
      let sql = "SELECT EXISTS (SELECT FROM \(table.name.sql) e \(conditions.clause(and: "true")))"
      guard try connection.query(sql, conditions.parameters).bool(0, 0) else {
        throw EventStoreError(.notFound, "\(table.name) has no event of \(what)")
      }
    }
    for type in query.types {
      try require("type '\(type)'") { $0.add("e.event_type = \($0.bind(.text(type)))") }
    }
    if let aggregateID = query.aggregateID {
      try require("aggregate '\(aggregateID)'") { $0.add("e.aggregate_id = \($0.bind(.text(aggregateID)))") }
    }
    if let category = query.category {
      try require("category '\(category)'") { $0.add(category: category) }
    }
  }
}

extension QueryResult {
  /// Appends a row of ``EventsTable/columns`` as a line of NDJSON.
  fileprivate borrowing func appendNDJSON(_ row: Int, to output: inout [UInt8]) {
    typealias Column = EventsTable.Column
    EventJSONWriter.append(
      position: optionalInt64(row, Column.position),
      aggregateID: utf8(row, Column.aggregateID),
      version: int32(row, Column.version),
      eventType: utf8(row, Column.eventType),
      timestamp: Timestamp(microseconds: int64(row, Column.timestamp)),
      id: eventID(row, Column.id),
      data: jsonbUTF8(row, Column.data),
      metadata: isNull(row, Column.metadata) ? nil : jsonbUTF8(row, Column.metadata),
      to: &output
    )
  }
}
