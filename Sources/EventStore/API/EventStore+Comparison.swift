extension EventStore {
  /// Compares the events with those of another store, whatever positions they have, and reports the differences.
  ///
  /// Both stores are read at the same time, each in one snapshot, stream by stream in the order of their ids. Only a
  /// few streams are in memory. Events that were appended between the two snapshots are differences. Upcasters are not
  /// applied: the stored events are compared.
  ///
  /// - Parameters:
  ///   - comparison: which events.
  ///   - other: what they are compared with.
  ///   - report: is called on the store's thread for each difference; those of a stream follow one another.
  /// - Throws: ``EventStoreError``; `notFound` when neither store has a named stream or category, `invalidInput` when a
  ///   file is damaged.
  public nonisolated func compare(
    _ comparison: Comparison = Comparison(),
    with other: ComparedStore,
    reporting report: @Sendable (StoreDifference) throws -> Void
  ) async throws -> ComparisonResult {
    let passedOn = PassedOn()
    return try await reconnecting(within: Self.readTimeout, after: .ofStandby, unless: passedOn) {
      try await compareOnce(comparison, with: other, passedOn) {
        passedOn.set()
        try report($0)
      }
    }
  }
}
