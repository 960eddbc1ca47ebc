internal import LibPQ

extension EventStore {
  /// - Parameter passedOn: is set after a part of a file was read.
  nonisolated func compareOnce(
    _ comparison: Comparison,
    with other: ComparedStore,
    _ passedOn: PassedOn,
    _ report: @Sendable (StoreDifference) throws -> Void
  ) async throws -> ComparisonResult {
    switch other {
    case .store(let given):
      // A store has one thread, and both sides are read at the same time.
      let store = given === self ? try await sibling() : given
      return try await compare(comparison, with: store, report) { try $0.eventsTable() }
    case .file(let read):
      try await perform { try $0.requireCategories(of: comparison) }
      let file = try ComparedFile {
        passedOn.set()
        return try read()
      }
      if file.isManifest { return try await compare(comparison, withManifest: file, report) }
      return try await compare(comparison, with: sibling(), report) { try $0.load(file) }
    }
  }

  /// - Parameter open: makes the other store's events readable, on its thread.
  private nonisolated func compare(
    _ comparison: Comparison,
    with other: EventStore,
    _ report: @Sendable (StoreDifference) throws -> Void,
    open: @escaping @Sendable (StoreConnection) throws -> EventsTable
  ) async throws -> ComparisonResult {
    let (queue, meeting) = (DigestQueue(), ComparisonMeeting())
    async let reading = other.read(comparison, into: queue, meeting, open)
    var differences: [StoreDifference] = []
    var result = ComparisonResult()
    if comparison.isByEvent {
      (result, differences) = try await perform { store in
        var differences: [StoreDifference] = []
        let result = try store.merge(comparison, meeting, { try queue.take() }, { differences.append($0) })
        return (result, differences)
      }
    } else {
      result = try await perform { try $0.merge(comparison, meeting, { try queue.take() }, report) }
    }
    let otherTable = try await reading
    try comparison.requireFound(result, in: table)
    try await reportFields(of: differences, other, otherTable, report)
    return result
  }

  private nonisolated func compare(
    _ comparison: Comparison,
    withManifest file: ComparedFile,
    _ report: @Sendable (StoreDifference) throws -> Void
  ) async throws -> ComparisonResult {
    guard comparison.contents.isEmpty else {
      throw EventStoreError(
        .invalidInput,
        "a manifest does not have the contents of events",
        hint: "Compare with a store, or with events in NDJSON, or leave the conditions out."
      )
    }
    let result = try await perform { store in
      var manifest = try ManifestReader(file.read)
      return try store.merge(
        comparison,
        nil,
        {
          while let stream = try manifest.next() {
            if comparison.includes(stream.aggregateID) { return [stream] }
          }
          return []
        },
        report
      )
    }
    try comparison.requireFound(result, in: table)
    return result
  }

  /// Reads this store for the comparison of another one.
  ///
  /// - Returns: the table that was read.
  private func read(
    _ comparison: Comparison,
    into queue: DigestQueue,
    _ meeting: ComparisonMeeting,
    _ open: @Sendable (StoreConnection) throws -> EventsTable
  ) async throws -> EventsTable {
    do {
      let table = try await perform { store in
        let table = try open(store)
        try store.putDigests(comparison, of: table, into: queue, meeting)
        return table
      }
      queue.finish(.success(()))
      return table
    } catch {
      let error = (error as? EventStoreError)?.ofOtherStore ?? error
      meeting.sums.put(.failure(error))
      queue.finish(.failure(error))
      throw error
    }
  }

  /// Reports the differences of named streams, field by field for a changed event.
  private nonisolated func reportFields(
    of differences: [StoreDifference],
    _ other: EventStore,
    _ otherTable: EventsTable,
    _ report: @Sendable (StoreDifference) throws -> Void
  ) async throws {
    for difference in differences {
      guard difference.kind == .changed, let version = difference.version else {
        try report(difference)
        continue
      }
      let id = difference.aggregateID
      let there = try await other.perform { try $0.fields(of: id, version: version, in: otherTable) }
      let fields = try await perform { store in
        try store.changes(
          from: try store.fields(of: id, version: version, in: try store.eventsTable()),
          to: there
        )
      }
      if fields.isEmpty { try report(difference) }
      for field in fields {
        var difference = difference
        difference.field = StoreDifference.FieldDifference(
          path: field.path,
          here: field.old,
          there: field.new
        )
        try report(difference)
      }
    }
  }
}

extension StoreConnection {
  /// Reads this store and another side by side.
  ///
  /// - Parameters:
  ///   - meeting: where the sums of the other store arrive; nil if there are none.
  ///   - takeThere: returns the next streams of the other store; none at its end.
  fileprivate func merge(
    _ comparison: Comparison,
    _ meeting: ComparisonMeeting?,
    _ takeThere: () throws -> [StreamDigest],
    _ report: (StoreDifference) throws -> Void
  ) throws -> ComparisonResult {
    let table = try eventsTable()
    return try looking(at: comparison, table) {
      var (extents, differing): (ComparisonResult.Extents?, BucketSums.Part) = (nil, .all)
      if let meeting, !comparison.isByEvent {
        let here = try sums(of: comparison, in: table)
        let there = try meeting.sums.take()
        (extents, differing) = ((here.extent, there.extent), here.difference(from: there))
        meeting.differing.put(.success(differing))
      }
      var result = try merge(comparison, differing, in: table, takeThere, report)
      if let extents { (result.here, result.there) = extents }
      return result
    }
  }

  private func merge(
    _ comparison: Comparison,
    _ part: BucketSums.Part,
    in table: EventsTable,
    _ takeThere: () throws -> [StreamDigest],
    _ report: (StoreDifference) throws -> Void
  ) throws -> ComparisonResult {
    try withoutActuallyEscaping(takeThere) { takeThere in
      try withoutActuallyEscaping(report) { report in
        var waiting: ArraySlice<StreamDigest> = []
        var merge = StreamMerge(
          byEvent: comparison.isByEvent,
          {
            if waiting.isEmpty { waiting = try takeThere()[...] }
            return waiting.popFirst()
          },
          report
        )
        try forEachDigest(comparison, part, in: table) { try merge.add($0) }
        return try merge.finish()
      }
    }
  }

  fileprivate func putDigests(
    _ comparison: Comparison,
    of table: EventsTable,
    into queue: DigestQueue,
    _ meeting: ComparisonMeeting
  ) throws {
    try looking(at: comparison, table) {
      var part = BucketSums.Part.all
      if !comparison.isByEvent {
        meeting.sums.put(.success(try sums(of: comparison, in: table)))
        part = try meeting.differing.take()
      }
      try forEachDigest(comparison, part, in: table) { try queue.put($0) }
    }
  }

  /// Runs `body` in one snapshot.
  private func looking<T>(at comparison: Comparison, _ table: EventsTable, _ body: () throws -> T) throws -> T
  {
    try connection.transaction(.repeatableReadOnly) {
      try beginLooking(at: comparison.query, table)
      return try body()
    }
  }

  /// Reads the events of a comparison, joined to streams in the order of a manifest.
  private func forEachDigest(
    _ comparison: Comparison,
    _ part: BucketSums.Part,
    in table: EventsTable,
    _ body: (StreamDigest) throws -> Void
  ) throws {
    if part.isEmpty { return }
    let hashes = EventHashes(table: table, connection: connection)
    var builder = DigestBuilder()
    func add(_ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest, _: [SHA256.Digest]) throws {
      if let stream = builder.add(aggregateID, version, hash) { try body(stream) }
    }
    let conditions = comparison.conditions(in: table) + part.conditions
    if conditions.isEmpty {
      try hashes.read(add)
    } else {
      try hashes.read(where: conditions, add)
    }
    if let last = builder.finish() { try body(last) }
  }

  /// Refuses to select events of a file by a category that is a column of the store's layout.
  fileprivate func requireCategories(of comparison: Comparison) throws {
    guard case .category = comparison.selection, try eventsTable().hasCategory else { return }
    throw EventStoreError(
      .invalidInput,
      "a file does not have the categories of this layout",
      detail: "The layout has them in a column, and events in a file have no such field.",
      hint: "Compare all events, name the aggregates, or compare with a database."
    )
  }

  /// The fields of an event as a JSON object; an empty one if there is no such event any more.
  fileprivate func fields(of aggregateID: String, version: Int, in table: EventsTable) throws -> String {
    let rows = try connection.query(
      """
      SELECT jsonb_build_object(
          'id', e.id, 'event_type', e.event_type, 'timestamp', to_jsonb(\(raw: table.time)), 'event_data', e.event_data,
          'metadata', \(raw: table.metadata))::text AS fields
      FROM \(raw: table.relation) e WHERE \(table.isOf(aggregateID)) AND e.version = \(Int32(version))
      ORDER BY e.id LIMIT 1
      """
    )
    return rows.first { $0.string("fields") } ?? "{}"
  }
}

extension EventStoreError {
  /// The same error, marked as one of the other store.
  fileprivate var ofOtherStore: EventStoreError {
    var error = self
    error.message = "in what is compared with: \(message)"
    return error
  }
}
