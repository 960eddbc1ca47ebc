internal import LibPQ

/// The result of a read.
public struct ReadResult: Sendable, Hashable {
  /// Events that were read.
  public internal(set) var count = 0
  /// Position of the last of them; nil if there is none.
  public internal(set) var lastPosition: Int64?
}

extension EventStore {
  nonisolated func writeLines(
    of query: EventQuery,
    to write: @Sendable ([UInt8]) throws -> Void
  ) async throws -> ReadResult {
    guard let history = try await longHistory(query), let helper = await helper() else {
      return try await writePages(of: query, to: write)
    }
    var (result, rest) = try await writeRuns(of: history, with: helper, to: write)
    if let rest {
      var query = query
      (query.fromPosition, query.toPosition) = (rest.lowerBound, rest.upperBound)
      query.waitsForWriters = false
      let end = try await writePages(of: query, to: write)
      result.count += end.count
      result.lastPosition = end.lastPosition ?? result.lastPosition
    }
    return result
  }

  private func writePages(
    of query: EventQuery,
    to write: @Sendable ([UInt8]) throws -> Void
  ) async throws -> ReadResult {
    var (reader, lines, count) = (EventReader(query), [UInt8](), Int64(0))
    let furthest = Furthest()
    return try await reconnecting(within: Self.readTimeout, furthest, after: .ofStandby) {
      try await perform(seeing: .permitted, goingOn: reader.hasBegun) { store in
        try reader.readRound(store) { page in
          lines.removeAll(keepingCapacity: true)
          for row in 0..<page.rowCount { page.appendNDJSON(row, to: &lines) }
          try write(lines)
          count += Int64(page.rowCount)
          furthest.note(count)
        }
        return reader.result
      }
    }
  }
}

extension QueryResult {
  /// Appends a row of ``EventsTable/columns`` as a line of NDJSON.
  borrowing func appendNDJSON(_ row: Int, to output: inout [UInt8]) {
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
