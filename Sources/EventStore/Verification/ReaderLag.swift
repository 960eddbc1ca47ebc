internal import LibPQ

/// How far a reader is behind the end of the store.
struct ReaderLag {
  /// Events after its position, counted up to a limit.
  let events: Int64
  /// Seconds since the first of them happened; 0 without any.
  let seconds: Double
}

extension StoreConnection {
  /// How far readers at some positions are behind, in their order.
  ///
  /// - Parameter limit: the most events that are counted.
  func lags(behind positions: [Int64], limit: Int64) throws -> [ReaderLag] {
    if positions.isEmpty { return [] }
    guard try eventsTable().isDistributed else {
      return try lags(.readerLags, .int8Array(positions), limit)
    }
    var lags: [ReaderLag] = []
    for position in positions { lags += try self.lags(.readerLag, .int8(position), limit) }
    return lags
  }

  private func lags(
    _ template: SQLTemplate,
    _ position: Parameter,
    _ limit: Int64
  ) throws(PostgresError) -> [ReaderLag] {
    let sql = template.filled(["events": relation])
    return try connection.query(sql, [position, .int8(limit)]).map { row in
      ReaderLag(events: row.int64("lag_events"), seconds: row.float64("lag_seconds"))
    }
  }
}
