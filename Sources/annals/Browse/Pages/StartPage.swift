internal import EventStore

extension PageMaker {
  /// Whether anything needs attention.
  func start() async throws -> Page {
    let statistics = try await part { try await store.statistics() }
    let watermark = try await part { try await store.watermark() }
    let readers = try await part { try await store.projectionStatus(countsRows: false, lagLimit: 1000) }
    let letters = try await part { try await store.deadLetters() }
    var page = Page(title: "Store")
    page.body = [
      statistics.html { RecordTable.alone($0) },
      .heading("How far history is final"),
      watermark.html { table(WatermarkRecord.records(of: $0)) },
      .heading("Projections"),
      readers.html { table($0, ["name", "state", "position", "lag_events", "dead_letters", "moved_at"]) },
      .heading("Dead letters"),
      letters.html { letters in
        letters.isEmpty
          ? .note("None.") : .link(PageAddress(.deadLetters), Field.counted(letters.count, "dead letter"))
      },
    ]
    if let path = settings.verify { page.body += [.heading("Last check of versions"), verification(path)] }
    page.commands = [command("stats"), command("watermark"), command("projections")]
    page.records = statistics.value.map { printing([$0]) }
    return page
  }

  /// Checks whether annals and the store are set up well.
  func checks() async throws -> Page {
    // A session that may only read cannot tell which rights to write the role has.
    let items = try await store.diagnose().filter { $0.area != .rights }
    let records = items.map { DiagnosisRecord(item: $0) }
    let attention = records.filter { $0.item.status != .ok }
    var page = Page(title: "Checks")
    page.body = findings() + reports()
    page.body += [
      .note("The command below also shows the rights of the role."),
      .heading("Problems and notes"), table(attention, ["area", "name", "value", "status", "advice"]),
      .heading("All checks"), table(records, ["area", "name", "value", "status"]),
    ]
    page.commands = [command("doctor"), command("verify-versions")]
    page.records = printing(records)
    return page
  }

  /// The events that follow from one another.
  func trace(_ id: String) async throws -> Page {
    var page = Page(title: "Trace")
    page.path = [("Events", PageAddress(.events))]
    page.commands = [command("trace", quoteShellOperand(id))]
    let found = try await part { try await store.trace(id) }
    guard let events = found.value else {
      if case .failed = found { return try await failedTrace(id) }
      page.body = [
        found.html { _ in HTML() },
        .note("Without an index on the ids in the metadata, all events are read."),
      ]
      page.body += try await missingIndexes()
      return page
    }
    let traced = events.prefix(Self.mostTraced).map { $0 }
    let lanes = traced.map { one in
      let indent = String(repeating: "\u{A0}\u{A0}", count: min(one.depth, 12))
      return TimeLanes.Lane(
        label: "\(indent)\(one.event.type) \(one.event.aggregateID)",
        address: PageAddress(.stream(one.event.aggregateID), [("version", "\(one.event.version)")]),
        events: [one.event]
      )
    }
    let columns = ["depth", "event_type", "aggregate_id", "version", "timestamp", "id", "causation_id"]
    page.body = [
      .note(
        Field.counted(events.count, "event")
          + (events.count > traced.count ? ", the first \(traced.count) shown" : "")
      ),
      TimeLanes(lanes: lanes).svg(title: "The events of the trace by time"),
      table(traced, columns),
    ]
    // The payloads of traced events cannot be reduced to their keys.
    page.records = payload == .keys ? nil : printing(events)
    return page
  }

  private static let mostTraced = 500

  /// The statements that create the indexes that a trace needs, for this table.
  private func missingIndexes() async throws -> [HTML] {
    let items = try await part { try await store.diagnose() }.value ?? []
    let advice = items.filter { $0.area == .indexes && $0.name.utf8.starts(with: "traces by ".utf8) }
      .compactMap(\.advice)
    return advice.map { .element("pre", text: Advice.text($0)) }
  }

  /// A trace without events is an answer for the whole page.
  private func failedTrace(_ id: String) async throws -> Page {
    _ = try await store.trace(id)
    throw EventStoreError(.notFound, "no such trace")
  }

  /// Streams on one axis of time.
  func comparison() async throws -> Page {
    let ids = query.all("stream").filter { !$0.isEmpty }.prefix(8)
    var (lanes, all): ([TimeLanes.Lane], [Event]) = ([], [])
    for id in ids {
      var read = EventQuery(aggregateID: id)
      read.last = BrowseLimits.versions
      let events = try await self.read(read)
      lanes.append(TimeLanes.Lane(label: id, address: PageAddress(.stream(id)), events: events))
      all += events
    }
    all.sort { ($0.timestamp, $0.position ?? 0) < ($1.timestamp, $1.position ?? 0) }
    var page = Page(title: "Streams on one axis of time")
    page.path = [("Streams", PageAddress(.streams))]
    let fields = (Array(ids) + ["", ""]).prefix(8).map { id in
      HTML.element(
        "label",
        [],
        .text("Stream "),
        .void("input", [.init("name", "stream"), .init("value", id), .init("autocomplete", "off")])
      )
    }
    page.body = [.element("form", [.init("class", "filters")], fields + [.element("button", text: "Show")])]
    guard !lanes.isEmpty else { return page }
    page.body += [
      TimeLanes(lanes: lanes).svg(title: "The events of the streams by time"),
      table(all, ["timestamp", "aggregate_id", "version", "event_type", "position"]),
    ]
    page.commands = ids.map { command("stream", quoteShellOperand($0) + settings.upcasters) }
    page.records = printing(all)
    return page
  }

  /// The pages that exist, and how to reach them.
  func help() -> Page {
    var page = Page(title: "Help")
    page.body = [
      .raw(
        """
        <h2>Addresses</h2>
        <table><tbody>
        <tr><th scope="row"><code>/events</code><td>the store, the newest event first; <code>?type=</code>, \
        <code>?category=</code>, <code>?before=</code>, <code>?after=</code>, <code>?at=2 hours ago</code>
        <tr><th scope="row"><code>/events/ID</code>, <code>/events/@POSITION</code><td>one event, its cause and effects
        <tr><th scope="row"><code>/streams</code><td>names; <code>?prefix=</code>, <code>?category=</code>
        <tr><th scope="row"><code>/streams/ID?version=3</code><td>a stream, and the state after that version
        <tr><th scope="row"><code>/streams/ID/diff?from=2&amp;to=4</code><td>two states
        <tr><th scope="row"><code>/compare?stream=A&amp;stream=B</code><td>streams on one axis of time
        <tr><th scope="row"><code>/trace/ID</code><td>causes and effects by time
        <tr><th scope="row"><code>/projections</code>, <code>/dead-letters</code>, <code>/types</code>, \
        <code>/checks</code><td>readers, shapes and the setup
        </table>
        <p>Each page with <code>?o=json</code>, <code>ndjson</code> or <code>csv</code> gives the records that its \
        command prints.
        <h2>Keys</h2>
        <table><tbody>
        <tr><th scope="row"><kbd>/</kbd><td>go to
        <tr><th scope="row"><kbd>j</kbd> <kbd>k</kbd> <kbd>Enter</kbd><td>next row, row before, open it
        <tr><th scope="row"><kbd>[</kbd> <kbd>]</kbd><td>version before, next version
        <tr><th scope="row"><kbd>o</kbd> <kbd>n</kbd><td>older, newer
        <tr><th scope="row"><kbd>?</kbd> <kbd>Esc</kbd><td>this page; back
        </table>
        <h2>Limits</h2>
        <p>Nothing is changed: the pages only read, and no SQL comes from an address. A statement of the server may take \
        2 seconds, and wait 200 ms for a lock. Times are in UTC. A number with ≈ is an estimate.
        """
      )
    ]
    page.commands = ["annals help browse"]
    return page
  }
}
