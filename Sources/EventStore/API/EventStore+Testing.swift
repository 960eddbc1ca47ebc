internal import LibPQ

extension EventStore {
  /// Runs one test of a file in a transaction that is rolled back.
  ///
  /// The events of the test and its results are in schemas that no other session sees; the events table of this store
  /// is not read. It needs the right to create a schema in the database.
  ///
  /// - Parameters:
  ///   - test: the test.
  ///   - timeout: the longest that a statement may run; nil for the setting of the role or the database.
  ///   - recording: whether rows that differ from the file are kept for ``TestFile/recording(_:)``, and are no failure.
  /// - Returns: the result, also when a file that the test names is wrong.
  /// - Throws: ``EventStoreError`` when the test could not be run: `permissionDenied`, `cannotConnect`.
  public func run(
    _ test: TestCase,
    timeout: Duration? = nil,
    recording: Bool = false
  ) async throws -> TestResult {
    try await perform { try $0.run(test, timeout: timeout, recording: recording) }
  }
}

extension StoreConnection {
  func run(_ test: TestCase, timeout: Duration?, recording: Bool) throws -> TestResult {
    let start = ContinuousClock.now
    return try connection.rolledBack {
      if let timeout {
        // 0 would mean no limit.
        let milliseconds = max(1, min(Int64(timeout / .milliseconds(1)), Int64(Int32.max)))
        try connection.execute("SET LOCAL statement_timeout = \(milliseconds)")
      }
      var run = try TestRun(test, by: self, recording: recording)
      try run.run()
      var result = run.result
      result.duration = ContinuousClock.now - start
      return result
    }
  }
}
