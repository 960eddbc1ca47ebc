internal import LibPQ

extension TestRun {
  /// Compares the result with what a stage expects.
  mutating func compare(_ stage: TestCase.Stage) throws {
    try compareChecks(stage)
    for expectation in stage.expectations {
      let failure = try failure(of: expectation)
      if let failure { result.add(failure) }
    }
  }

  /// Why an expectation is not met; throws what is wrong with its query or its rows.
  private mutating func failure(of expectation: TestCase.Expectation) throws -> TestFailure? {
    do {
      return try connection.readingOnly {
        try connection.useNames(of: confinement, test.path)
        return try compare(expectation)
      }
    } catch let error as PostgresError {
      guard error.kind == .statement, !Task.isCancelled else { throw error }
      let location = expectation.query.location
      return error.testFailure(at: "\(test.path):\(location.line):\(location.column)")
    }
  }

  private mutating func compareChecks(_ stage: TestCase.Stage) throws {
    guard let projection = test.subject.projection else { return }
    let failed = try connection.readingOnly { try store.runChecks(of: projection, in: names.model) }
    let expected = stage.findings.map { ByteString($0.check) }
    for check in failed where !expected.contains(ByteString(check.check)) {
      let line = projection.checks.first { $0.description.hasSameBytes(as: check.check) }?.location.line ?? 1
      result.add(
        TestFailure(
          "\(projection.path):\(line): check failed: \(check.check)",
          detail: check.rows.joined(separator: ", "),
          hint:
            "A rebuild would not be swapped in. If the check is to find this, write \"-- @expect-check \(check.check)\"."
        )
      )
    }
    let found = failed.map { ByteString($0.check) }
    for (check, location) in stage.findings where !found.contains(ByteString(check)) {
      result.add(
        TestFailure("\(test.path):\(location.line):\(location.column): the check finds nothing: \(check)")
      )
    }
  }

  private mutating func compare(_ expectation: TestCase.Expectation) throws -> TestFailure? {
    let location = expectation.location
    func message(_ text: String) -> String { "\(test.path):\(location.line):\(location.column): \(text)" }
    let query = try ExpectedQuery(expectation.query, of: test.path, connection)
    let found = try query.rows(connection)
    guard found.count <= ExpectedQuery.maximumRows else {
      return TestFailure(
        message("the query gives more than \(ExpectedQuery.maximumRows) rows"),
        hint: "Write a query that shows less: a count, or the rows that matter."
      )
    }
    guard let rows = expectation.rows else {
      if recording { record(query.columns, found, expectation) }
      return recording
        ? nil
        : TestFailure(
          message("the file has no rows for this query, which gives \(counted(found.count, "row"))"),
          hint: "Write them in comments below it, or have them written with \(.recordTests)."
        )
    }
    if rows.columns != query.columns {
      if recording { record(query.columns, found, expectation) }
      func list(_ names: [ByteString]) -> String { names.map(\.string).joined(separator: ", ") }
      return recording
        ? nil : TestFailure(message("the columns are \(list(query.columns)), not \(list(rows.columns))"))
    }
    let failure = TestFailure(
      expected: recording ? rows.rows : try query.printed(rows, of: test.path, connection),
      found: found,
      isOrdered: expectation.isOrdered,
      query.columns,
      message
    )
    if failure != nil, recording { record(query.columns, found, expectation) }
    return recording ? nil : failure
  }

  private mutating func record(
    _ columns: [ByteString],
    _ rows: [[ByteString]],
    _ expectation: TestCase.Expectation
  ) {
    let place = expectation.rows?.lines ?? expectation.endLine..<expectation.endLine
    result.recorded.append(RecordedRows(place: place, lines: RowTable.lines(columns, rows)))
    if result.status == .passed { result.status = .recorded }
  }
}
