internal import LibPQ

/// One check of upcasters, within the transaction that is its snapshot.
struct EvolutionCheckRun {
  let upcasters: Upcasters
  let table: EventsTable
  let options: EvolutionCheckOptions
  let connection: Connection
  /// The rules, by their index, that fail for their own outcome.
  var failingAgain: Set<Int> = []
  /// The types that the rules name, or all, with their stored counts; known after the events were read.
  private(set) var counts: [TypeCount] = []
  var result = EvolutionCheckResult()

  /// The outcome, together with the stored ``type``, ``data`` and ``metadata``.
  let source: String
  static let type = "annals_type"
  static let data = "annals_data"
  static let metadata = "annals_metadata"
  /// Large enough for the server to share a chunk among its parallel workers.
  private static let chunkEvents: Int64 = 1_000_000
  /// The steps in which a chunk that fails is read again.
  private static let stepEvents: Int64 = 50_000

  init(
    _ upcasters: Upcasters,
    in table: EventsTable,
    _ options: EvolutionCheckOptions,
    _ connection: Connection
  ) throws {
    (self.upcasters, self.table, self.options, self.connection) = (upcasters, table, options, connection)
    source =
      UpcastSource(
        upcasters.rules,
        of: table,
        passing: [
          (Self.type, "event_type"), (Self.data, "event_data"),
          (Self.metadata, table.hasMetadata ? "metadata" : "NULL::jsonb"),
        ]
      ).sql
  }

  mutating func add(
    _ kind: EvolutionFinding.Kind,
    type: String,
    path: String? = nil,
    events: Int64,
    first: (aggregateID: String?, version: Int?, position: Int64?)? = nil,
    rules: [String],
    detail: String
  ) {
    result.counts[kind, default: 0] += kind == .failure ? 0 : 1
    result.findings.append(
      EvolutionFinding(
        kind: kind,
        eventType: type,
        path: path,
        events: events,
        aggregateID: first?.aggregateID,
        version: first?.version,
        position: first?.position,
        rules: rules,
        detail: detail
      )
    )
  }

  /// The rules for a type, as `file:line`.
  func rules(for type: ByteString) -> [String] {
    upcasters.files.flatMap { file in
      file.rules.filter { $0.isForEveryType || $0.types.contains(type) }
        .map { "\(file.path):\($0.location.line)" }
    }
  }
}

// MARK: - Every event

extension EvolutionCheckRun {
  /// Applies the upcasters to the events, chunk by chunk; a chunk that fails is read event by event.
  mutating func checkEvents(_ progress: (EventStore.Progress) -> Void) throws {
    // Counting is a separate pass, which is not needed if the outcome can be counted on the way.
    let isCountedFirst = options.sample != nil || upcasters.drops || upcasters.splits
    if isCountedFirst { counts = try TypeCount.all(in: table, types: upcasters.types, connection) }
    var tallies: [ByteString: Tally] = [:]
    var hasFailures = false
    var chunks = try chunks()
    while let chunk = try chunks.next(connection) {
      if try tally(chunk, &tallies) != nil {
        hasFailures = true
        var steps = Steps(of: Self.stepEvents, through: [chunk], in: table)
        while let step = try steps.next(connection) {
          // An error that is not about an event is ours, or the server's.
          if let error = try tally(step, &tallies), try nameFailures(in: step) == 0 { throw error }
        }
      }
      progress(EventStore.Progress(done: chunks.done, of: chunks.total))
    }
    if !isCountedFirst {
      counts =
        hasFailures
        ? try TypeCount.all(in: table, types: upcasters.types, connection)
        : tallies.map { TypeCount(type: $0, events: $1.events[0], positions: $1.positions) }
          .sorted { ($1.events, $0.type) < ($0.events, $1.type) }
    }
    try reportIdleRules()
    for (type, tally) in tallies.sorted(by: { $0.key < $1.key }) { try report(tally.events, of: type) }
  }

  /// The events to examine, by their positions; all of them if both ends are nil.
  struct Chunk {
    /// The position after which it begins.
    var after: Int64?
    /// The last position.
    var last: Int64?

    init() {}

    init(after: Int64?, last: Int64) {
      (self.after, self.last) = (after, last)
    }

    init(_ positions: ClosedRange<Int64>) {
      self.init(
        after: positions.lowerBound == .min ? nil : positions.lowerBound - 1,
        last: positions.upperBound
      )
    }

    /// A condition on `e`, as text, since NameFailures.sql is a block, which takes no parameters.
    var condition: String {
      let ends = [after.map { "e.position > \($0)" }, last.map { "e.position <= \($0)" }].compactMap(\.self)
      return ends.isEmpty ? "true" : ends.joined(separator: " AND ")
    }
  }

  /// Cuts chunks into smaller ones of a number of events; each begins at an existing event.
  private struct Steps {
    private let events: Int64
    private let table: EventsTable
    /// The remaining chunks, the last one first.
    private var rest: [Chunk]
    /// The progress, in positions: how much is done, and how much there is.
    private(set) var done: Int64 = 0
    let total: Int64
    private let first: Int64

    /// - Parameter first: the first position of all.
    init(of events: Int64, through chunks: [Chunk], from first: Int64 = 0, in table: EventsTable) {
      (self.events, self.table, self.first, rest) = (events, table, first, chunks.reversed())
      total = chunks.last?.last.map { max(1, first.span(to: $0)) } ?? 1
    }

    /// The next chunk; nil at the end. Each takes a statement, and so can be cancelled.
    mutating func next(_ connection: Connection) throws -> Chunk? {
      guard let chunk = rest.popLast() else { return nil }
      guard let last = chunk.last else {
        done = total
        return chunk
      }
      let end = try table.endOfChunk(of: events, after: chunk.after, upTo: last, connection)
      if end < last { rest.append(Chunk(after: end, last: last)) }
      done = rest.isEmpty ? total : first.span(to: end)
      return Chunk(after: chunk.after, last: end)
    }
  }

  private func chunks() throws -> Steps {
    guard table.hasPosition else { return Steps(of: Self.chunkEvents, through: [Chunk()], in: table) }
    guard let sample = options.sample else {
      let bounds = try connection.query(
        "SELECT min(position) AS first, max(position) AS last FROM \(raw: table.relation) e"
      )
      guard let first = bounds[0].optionalInt64("first"), let last = bounds[0].optionalInt64("last") else {
        return Steps(of: 1, through: [], in: table)
      }
      let end = try table.endOfChunk(of: Self.chunkEvents, after: nil, upTo: last, connection)
      if end == last { return Steps(of: Self.chunkEvents, through: [Chunk()], in: table) }
      let all = Chunk(after: nil, last: last)
      return Steps(of: Self.chunkEvents, through: [all], from: first, in: table)
    }
    let ranges = counts.compactMap(\.positions)
    guard let first = ranges.map(\.lowerBound).min(), let last = ranges.map(\.upperBound).max() else {
      return Steps(of: 1, through: [], in: table)
    }
    let events = counts.reduce(0) { $0 + $1.events }
    let share = min(1, Double(sample) / Double(events))
    let windows = PositionWindows(in: first...last, covering: share, most: EventSample.maximumWindows)
    return Steps(of: Self.chunkEvents, through: windows.windows.map { Chunk($0) }, from: first, in: table)
  }

  /// Counts events of the outcome; the parts of a split are several rows of one event.
  func countOfEvents(_ name: String) -> String {
    upcasters.splits ? "count(DISTINCT (\(name).aggregate_id, \(name).version))" : "count(*)"
  }

  /// The condition on the type of an event to examine.
  var ofTypes: String {
    guard let types = upcasters.types else { return "IS NOT NULL" }
    return "IN (\(types.map { quoteLiteral($0) }.joined(separator: ", ")))"
  }

  func event(at position: Int64?) throws -> (aggregateID: String?, version: Int?, position: Int64?)? {
    guard let position else { return nil }
    let sql: SQL = "SELECT aggregate_id, version FROM \(raw: table.relation) e WHERE position = \(position)"
    return try connection.query(sql).first { event in
      (event.optionalString("aggregate_id"), event.optionalInt32("version").map(Int.init), position)
    }
  }
}

// MARK: - Failures

extension EvolutionCheckRun {
  /// Whether a query over all events may have failed for an event that is named or not examined. Other errors are ours.
  func isOfEvent(_ error: PostgresError) -> Bool {
    guard error.kind == .statement, !error.isAboutTheRun else { return false }
    return options.sample != nil || result.counts[.failure, default: 0] > 0
  }

  /// - Returns: how many events failed; the first ones are named.
  private mutating func nameFailures(in chunk: Chunk) throws -> Int64 {
    let named = result.findings.count { $0.kind == .failure }
    let body = SQLTemplate.nameFailures.filled([
      "events": table.readable,
      "position": table.hasPosition ? "e.position" : "NULL::bigint",
      "condition": "e.event_type \(ofTypes) AND \(chunk.condition)",
      "source": source,
      "values":
        (["event.event_type", "event.event_data", "event.metadata"]
        + upcasters.rules.map { "(\($0.applies))" })
        .joined(separator: ", "),
      "limit": String(max(0, options.failureLimit - named)),
    ])
    try connection.execute("DO " + quoteDollar("\n\(body)\n"))
    let failures = try connection.query(
      """
      SELECT f->>'aggregate_id' AS aggregate_id, (f->>'version')::integer AS version,
             (f->>'position')::bigint AS position, f->>'type' AS type,
             format('%s (%s)', f->>'message', f->>'state') AS detail
      FROM jsonb_array_elements(current_setting('annals.failures')::jsonb) AS f
      """
    )
    failures.forEachRow { row in
      let type = row.string("type")
      add(
        .failure,
        type: type,
        events: 1,
        first: (
          row.optionalString("aggregate_id"), row.optionalInt32("version").map(Int.init),
          row.optionalInt64("position")
        ),
        rules: rules(for: ByteString(type)),
        detail: row.string("detail")
      )
    }
    let count = try connection.query("SELECT current_setting('annals.failure_count')::bigint").int64(0, 0)
    result.counts[.failure, default: 0] += count
    return count
  }
}
