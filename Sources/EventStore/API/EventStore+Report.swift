internal import LibPQ

extension EventStore {
  /// Examines all of a store for a report: its contents, its growth, its readers, its faults.
  ///
  /// It changes nothing. If a part takes too long, or the role lacks a right for it, the part is missing and says why.
  ///
  /// - Throws: ``EventStoreError`` without a connection or an events table.
  package nonisolated func report(_ options: ReportOptions) async throws -> StoreReport {
    let statistics = try await part(options) { try await $0.statistics() }
    if case .failed(let error) = statistics { throw error }
    let window = Self.window(options, newest: statistics.value?.newest)
    return StoreReport(
      table: table,
      now: options.now,
      window: window,
      statistics: statistics,
      hours: try await part(options) { try await $0.read { try $0.hours(in: window) } },
      types: try await part(options) { try await $0.read { try $0.reportedTypes(in: window) } },
      payloads: try await part(options) { try await $0.read { try $0.payloadSizes() } },
      streams: try await part(options) { try await $0.read { try $0.reportedStreams() } },
      health: try await part(options) { try await $0.health() },
      deadLetters: try await part(options) { try await $0.deadLetters() },
      verification: try await part(options) { store in
        options.verifies ? try await store.verifyVersions { _ in } : VersionCheckResult()
      },
      diagnosis: try await part(options) { try await $0.diagnose() }
    )
  }

  /// The last 90 days up to the newest event, which may be long ago.
  private static func window(_ options: ReportOptions, newest: Timestamp?) -> ClosedRange<Timestamp> {
    if let since = options.since { return min(since, options.now)...options.now }
    let day = Timestamp.microsecondsPerDay
    func firstDay(upTo end: Timestamp) -> Timestamp {
      Timestamp(
        microseconds: end.microseconds - end.microseconds.flooredDivision(by: day).remainder - 89 * day
      )
    }
    guard let newest, Timestamp.finiteRange.contains(newest.microseconds),
      newest < firstDay(upTo: options.now)
    else { return firstDay(upTo: options.now)...options.now }
    return firstDay(upTo: newest)...newest
  }

  /// Computes a part of the report, and cancels its statement on the server when it takes too long.
  private nonisolated func part<Value: Sendable>(
    _ options: ReportOptions,
    _ body: @escaping @Sendable (EventStore) async throws -> Value
  ) async throws -> ReportPart<Value> {
    do {
      return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body(self) }
        group.addTask {
          try await Task.sleep(for: options.partLimit)
          return nil
        }
        let first = try await group.next() ?? nil
        group.cancelAll()
        // When the statement has ended, the connection is free for the next part.
        while let result = await group.nextResult() { _ = result }
        return first.map { .done($0) } ?? .late(options.partLimit)
      }
    } catch let error as EventStoreError {
      let endsAll: [EventStoreError.Code] = [.cannotConnect, .connectionLost, .noSession, .timedOut, .stale]
      if endsAll.contains(error.code) { throw error }
      return .failed(error)
    }
  }
}
