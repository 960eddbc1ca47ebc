internal import ArgumentParser
internal import EventStore

struct Stream: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream",
    abstract: "Show the events of an aggregate, or of the store.",
    discussion: """
        annals stream order-42
        annals stream order-42 -o ndjson | jq .event_data
        annals stream --category order --since '2 hours ago'
      """
  )

  @Argument(
    help: "The stream to show; without it, the whole store.",
    completion: .aggregateID
  )
  var aggregateID: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var archive: ArchiveReadOptions
  @OptionGroup var filter: FilterOptions

  @Option(help: ArgumentHelp("Begin at this version.", valueName: "n"))
  var fromVersion: Int?

  @Option(help: ArgumentHelp("End at this version.", valueName: "n"))
  var toVersion: Int?

  @Option(help: "Only the last N events.")
  var last: Int?

  @Flag(help: "Print only how many events there are.")
  var count = false

  @Flag(help: "Show the last event first.")
  var reverse = false

  @Flag(help: "Exit with status 2 when the stream of an aggregate lacks a version.")
  var strict = false

  @Flag(help: "Wait for new events, as 'tail -f' does.")
  var follow = false

  @OptionGroup var retry: RetryOptions

  @Option(help: "Payloads in a table: on several lines, on one, or not at all.")
  var payload: PayloadDisplay = .compact

  @Option(help: "Give each event type in a table a colour.")
  var color: ColorMode = .auto

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if count, follow { throw ValidationError("--count and --follow exclude each other") }
    switch (output.format, aggregateID) {
    case _ where count: try output.checkFields(of: EventCountRecord.self)
    case (.table, nil): try output.checkFields(of: StoreEventRecord.self)
    case (.table, _): try output.checkFields(of: StreamEventRecord.self)
    default: try output.checkFields(of: Event.self)
    }
    if let last, last < 0 { throw ValidationError("--last cannot be negative") }
    if strict, aggregateID == nil { throw ValidationError("--strict is for the stream of one aggregate") }
    if follow, reverse { throw ValidationError("--follow and --reverse exclude each other") }
    if follow, output.format == .json {
      throw ValidationError("--follow has no end; use -o ndjson, not json")
    }
  }

  func run() async throws {
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    try await archive.apply(to: store)
    let query = try await query(store)
    if count { return try await printCount(of: query, store) }
    let gaps = try await gaps(store)
    if follow {
      Interruption.isTheEnd()
      try await show(query, gaps, store)
    } else {
      try await Pager.show { try await show(query, gaps, store) }
    }
    if strict { try gaps?.fail() } else { gaps?.warn() }
    try await store.requireReadable()
  }

  private func printCount(of query: EventQuery, _ store: EventStore) async throws {
    let record = EventCountRecord(events: try await store.count(query))
    if output.format == .table, !output.isExpanded {
      StandardOutput.print(String(record.events))
    } else {
      output.print([record])
    }
    StandardOutput.flush()
  }

  private func gaps(_ store: EventStore) async throws -> StreamGaps? {
    guard let aggregateID else { return nil }
    let missing = try await store.missingVersions(ofStream: aggregateID, from: fromVersion, upTo: toVersion)
    return StreamGaps(aggregateID: aggregateID, missing: missing)
  }

  private func show(_ query: EventQuery, _ gaps: StreamGaps?, _ store: EventStore) async throws {
    switch output.format {
    case .ndjson where output.fields == nil: try await printLines(query, store)
    case .table:
      if let aggregateID { try await printHead(aggregateID, store) }
      try await printTable(query, gaps, store)
    default: try await printRecords(events(query, store)) { $0 }
    }
  }

  private func events(_ query: EventQuery, _ store: EventStore) -> EventSequence {
    store.events(matching: query, following: follow, retryTimeout: retry.timeout)
  }

  private func query(_ store: EventStore) async throws -> EventQuery {
    var query = aggregateID.map { EventQuery(aggregateID: $0) } ?? EventQuery()
    try await filter.apply(to: &query, store)
    (query.fromVersion, query.toVersion, query.reversed) = (fromVersion, toVersion, reverse)
    (query.last, query.waitsForWriters) = (last, follow)
    return query
  }

  private func printLines(_ query: EventQuery, _ store: EventStore) async throws {
    let status = ReadStatus("stream")
    if follow {
      var options = ReplayOptions()
      (options.isFollowing, options.retryTimeout) = (true, retry.timeout)
      options.includesSkipped = true
      _ = try await store.replay(query, options) { batch in
        StandardOutput.writeJSON(batch.lines)
        StandardOutput.flush()
        status.add(events: batch.count, upTo: batch.positions.last)
      }
    } else {
      try await store.writeNDJSON(query) { lines in
        StandardOutput.writeJSON(lines)
        status.add(lines: lines)
      }
      StandardOutput.flush()
    }
  }

  /// The totals of the stream, above its events.
  private func printHead(_ aggregateID: String, _ store: EventStore) async throws {
    guard let summary = try await store.summary(ofStream: aggregateID) else { return }
    // Upcasters may drop events, and split one into several.
    let events = Field.counted(summary.count, upcasters.areApplied ? "stored event" : "event")
    let snapshot = summary.snapshotVersion.map { ", snapshot at version \($0)" } ?? ""
    StandardOutput.print(
      """
      \(aggregateID): \(events), versions \(summary.firstVersion) to \(summary.lastVersion), \
      \(summary.firstTime) to \(summary.lastTime)\(snapshot)
      """
    )
    StandardOutput.print()
  }

  private func printTable(_ query: EventQuery, _ gaps: StreamGaps?, _ store: EventStore) async throws {
    let events = events(query, store)
    let skipped = try await store.knownSkippedEvents().reduce(into: [:]) { $0[$1.position] = $1.summary }
    @Sendable func skip(of event: Event) -> String? { event.position.flatMap { skipped[$0] } }
    guard let gaps else {
      let note = "by aggregate and version, because the table has no column position"
      let head = try await store.hasPositions() ? nil : note
      return try await printRecords(events, below: head) {
        StoreEventRecord(event: $0, skip: skip(of: $0), payload: payload)
      }
    }
    var previous: Timestamp?
    try await printRecords(events) { event in
      defer { previous = event.timestamp }
      let mark = gaps.mark(before: event.version)
      return StreamEventRecord(
        event: event,
        previous: previous,
        marks: [mark, skip(of: event)].compactMap(\.self),
        payload: payload
      )
    }
  }

  private func printRecords<R: Record>(
    _ events: EventSequence,
    below head: String? = nil,
    as record: (Event) -> R
  ) async throws {
    let status = ReadStatus("stream")
    var printer = RecordPrinter<R>(output.style, hasColors: color.isOn)
    var iterator = events.makeAsyncIterator()
    var head = head
    while let event = try await iterator.next() {
      if let text = head.take() {
        StandardOutput.print(text)
        StandardOutput.print()
      }
      printer.print(record(event))
      status.add(events: 1, upTo: event.position)
      if follow, !iterator.hasNextAtHand { printer.flush() }
    }
    printer.finish()
  }
}

/// How many events a query matches.
struct EventCountRecord: Record {
  let events: Int64

  static let columns: [Column<Self>] = [Column("events") { Field($0.events) }]
}
