internal import LibPQ

extension EventStore {
  /// - Parameter passedOn: is set when a part of a file was read.
  nonisolated func compareOnce(
    _ comparison: Comparison,
    with other: ComparedStore,
    _ passedOn: PassedOn,
    _ report: @Sendable (StoreDifference) throws -> Void
  ) async throws -> ComparisonResult {
    switch other {
    case .store(let store):
      return try await compare(comparison, with: store, report) { try $0.putDigests(comparison, into: $1) }
    case .file(let read):
      let file = try ComparedFile {
        passedOn.set()
        return try read()
      }
      if file.isManifest { return try await compare(comparison, withManifest: file, report) }
      return try await compare(comparison, with: sibling(), report) {
        try $0.putDigests(of: file, comparison, into: $1)
      }
    }
  }

  /// - Parameter putDigests: reads the other store, on its thread.
  private nonisolated func compare(
    _ comparison: Comparison,
    with other: EventStore,
    _ report: @Sendable (StoreDifference) throws -> Void,
    putDigests: @escaping @Sendable (StoreConnection, DigestQueue) throws -> ComparedEvents
  ) async throws -> ComparisonResult {
    let queue = DigestQueue()
    async let reading = other.read(into: queue, putDigests)
    var differences: [StoreDifference] = []
    var result = ComparisonResult()
    if comparison.isByEvent {
      (result, differences) = try await perform { store in
        var differences: [StoreDifference] = []
        let result = try store.merge(comparison, { try queue.take() }, { differences.append($0) })
        return (result, differences)
      }
    } else {
      result = try await perform { try $0.merge(comparison, { try queue.take() }, report) }
    }
    let events = try await reading
    try comparison.requireFound(result, in: table)
    try await reportFields(of: differences, other, events, report)
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
        "a manifest does not tell what events contain",
        hint: "Compare with a store, or with events in NDJSON, or leave the conditions out."
      )
    }
    let result = try await perform { store in
      var manifest = try ManifestReader(file.read)
      return try store.merge(
        comparison,
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
  private func read(
    into queue: DigestQueue,
    _ putDigests: @Sendable (StoreConnection, DigestQueue) throws -> ComparedEvents
  ) async throws -> ComparedEvents {
    do {
      let events = try await perform { try putDigests($0, queue) }
      queue.finish(.success(()))
      return events
    } catch {
      let error = (error as? EventStoreError)?.ofOtherStore ?? error
      queue.finish(.failure(error))
      throw error
    }
  }

  /// Hands over the differences of named streams, a changed event field by field.
  private nonisolated func reportFields(
    of differences: [StoreDifference],
    _ other: EventStore,
    _ otherEvents: ComparedEvents,
    _ report: @Sendable (StoreDifference) throws -> Void
  ) async throws {
    for difference in differences {
      guard difference.kind == .changed, let version = difference.version else {
        try report(difference)
        continue
      }
      let id = difference.aggregateID
      let there = try await other.perform { try $0.fields(of: id, version: version, in: otherEvents.table) }
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

/// The table that a store was read from.
struct ComparedEvents: Sendable {
  let table: EventsTable
}

extension StoreConnection {
  /// Reads this store and another side by side.
  ///
  /// - Parameter takeThere: returns the next streams of the other store, none at its end.
  fileprivate func merge(
    _ comparison: Comparison,
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
        try forEachDigest(comparison, in: try eventsTable()) { try merge.add($0) }
        return try merge.finish()
      }
    }
  }

  fileprivate func putDigests(_ comparison: Comparison, into queue: DigestQueue) throws -> ComparedEvents {
    let table = try eventsTable()
    try forEachDigest(comparison, in: table) { try queue.put($0) }
    return ComparedEvents(table: table)
  }

  fileprivate func putDigests(
    of file: ComparedFile,
    _ comparison: Comparison,
    into queue: DigestQueue
  ) throws -> ComparedEvents {
    let table = try load(file)
    try forEachDigest(comparison, in: table) { try queue.put($0) }
    return ComparedEvents(table: table)
  }

  /// Reads the events of a comparison in one snapshot, put together to streams in the order of a manifest.
  private func forEachDigest(
    _ comparison: Comparison,
    in table: EventsTable,
    _ body: (StreamDigest) throws -> Void
  ) throws {
    try connection.transaction(.repeatableReadOnly) {
      try beginLooking(at: comparison.query, table)
      let hashes = EventHashes(table: table, connection: connection)
      var builder = DigestBuilder()
      func add(_ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest) throws {
        if let stream = builder.add(aggregateID, version, hash) { try body(stream) }
      }
      if comparison.isWhole {
        try hashes.read(add)
      } else {
        try hashes.read(where: comparison.conditions(in: table), add)
      }
      if let last = builder.finish() { try body(last) }
    }
  }

  /// The fields of an event as a JSON object; an empty one when there is no such event any more.
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
  /// The same, told apart from an error of the first store.
  fileprivate var ofOtherStore: EventStoreError {
    var error = self
    error.message = "in what is compared with: \(message)"
    return error
  }
}
