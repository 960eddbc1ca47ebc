internal import EventStore
internal import Synchronization

extension PageMaker {
  /// Names, from an index.
  func streams() async throws -> Page {
    var list = StreamQuery()
    (list.prefix, list.after, list.category) = (query["prefix"] ?? "", query["after"], query["category"])
    list.limit = BrowseLimits.streams
    let found = Mutex<[ListedStream]>([])
    let hasMore = try await store.listStreams(list) { stream in found.withLock { $0.append(stream) } }
    let streams = found.withLock { $0 }
    var page = Page(title: "Streams")
    let base = address.with("after", nil).with("o", nil)
    page.next = hasMore ? streams.last.map { base.with("after", $0.aggregateID) } : nil
    let steps = HTML.element(
      "p",
      [.init("class", "steps")],
      .step(query["after"] == nil ? nil : base, "← first page", rel: "prev"),
      .raw(" "),
      .step(page.next, "next page →", rel: "next")
    )
    page.body = [
      .element(
        "form",
        [.init("class", "filters")],
        field("prefix", "Begins with"),
        field("category", "Category"),
        .element("button", text: "Show")
      ),
      steps, table(streams, ["aggregate_id", "events", "first_time", "last_time"]), steps,
    ]
    let options = [
      list.after.map { " --after \(quoteShell($0))" }, list.category.map { " --category \(quoteShell($0))" },
    ]
    let prefix = list.prefix.isEmpty ? "" : " " + quoteShellOperand(list.prefix)
    page.commands = [
      command("streams", "--limit \(BrowseLimits.streams)" + options.compactMap(\.self).joined() + prefix)
    ]
    page.records = printing(streams)
    return page
  }

  /// A stream, and the state after one of its events.
  func stream(_ id: String) async throws -> Page {
    let ends = try await self.ends(of: id)
    let version = query["version"].flatMap { Int($0) } ?? ends.last.version
    guard (ends.first.version...ends.last.version).contains(version) else {
      throw EventStoreError(.notFound, "no such version")
    }
    let events = try await events(of: id, around: version, ends)
    let previous = events.last { $0.version < version }?.version
    let next = events.first { $0.version > version }?.version
    var page = Page(title: id)
    page.path = [("Streams", PageAddress(.streams))]
    page.body = [
      .note(summary(ends)),
      slider(id, version, ends, previous, next),
      .element(
        "div",
        [.init("class", "halves")],
        .element("section", [], .heading("Events"), list(events, version)),
        .element("section", [], try await state(of: id, at: version, after: previous))
      ),
    ]
    page.commands = [
      command("stream", quoteShellOperand(id) + settings.upcasters),
      command("snapshot show", "\(quoteShellOperand(id)) --at-version \(version) --blame" + foldingOptions),
    ]
    page.records = printing(events)
    return page
  }

  private typealias Ends = (first: Event, last: Event)

  private func ends(of id: String) async throws -> Ends {
    var read = EventQuery(aggregateID: id)
    read.limit = 1
    let first = try await self.read(read)
    read.reversed = true
    let last = try await self.read(read)
    guard let first = first.first, let last = last.first else {
      throw EventStoreError(.notFound, "no such stream")
    }
    return (first, last)
  }

  /// All events of a short stream, or those around a version.
  private func events(of id: String, around version: Int, _ ends: Ends) async throws -> [Event] {
    var read = EventQuery(aggregateID: id)
    if ends.last.version - ends.first.version >= BrowseLimits.versions {
      let half = BrowseLimits.versions / 2
      (read.fromVersion, read.toVersion) = (version - half, version + half)
    }
    return try await self.read(read)
  }

  private func summary(_ ends: Ends) -> String {
    let (first, last) = (ends.first, ends.last)
    let length = Interval(from: first.timestamp, to: last.timestamp).description
    return "Versions \(first.version) to \(last.version), \(first.timestamp) to \(last.timestamp) (\(length))"
  }

  private func list(_ events: [Event], _ version: Int) -> HTML {
    var previous: Timestamp?
    let records = events.map { event in
      defer { previous = event.timestamp }
      return StreamEventRecord(event: event, previous: previous, marks: [], payload: .compact)
    }
    let columns = ["version", "time", "interval", "event_type"]
    return table(records, columns) { $0.event.version == version }
  }

  /// It works without a script: a button requests the chosen version.
  private func slider(_ id: String, _ version: Int, _ ends: Ends, _ previous: Int?, _ next: Int?) -> HTML {
    let isLong = ends.last.version - ends.first.version > 2000
    let input = HTML.void(
      "input",
      [
        .init("type", isLong ? "number" : "range"), .init("name", "version"), .init("id", "version"),
        .init("min", ends.first.version), .init("max", ends.last.version), .init("value", version),
      ]
    )
    // If the name is a parameter, the form would drop it.
    let name = HTML.void("input", [.init("type", "hidden"), .init("name", "id"), .init("value", id)])
    let hasName = id == "." || id == ".."
    func step(_ version: Int?) -> PageAddress? {
      version.map { address.with("version", "\($0)").with("o", nil) }
    }
    return .element(
      "form",
      [
        .init("class", "slider"), .init("id", "slider"),
        .init("action", hasName ? "/streams/" : PageAddress(.stream(id)).text),
      ],
      .step(step(previous), "← older", rel: "prev"),
      .element("label", [.init("for", "version")], text: "Version"),
      hasName ? name : HTML(),
      input,
      .element("output", [.init("id", "chosen")], text: "\(version) of \(ends.last.version)"),
      choiceOfReducer,
      .element("button", text: "Show"),
      .step(step(next), "newer →", rel: "next")
    )
  }

  private var choiceOfReducer: HTML {
    guard settings.reducers.count > 1 else { return HTML() }
    let options = settings.reducers.map { one in
      let isChosen = one.reducer.name == reducer.reducer.name
      return HTML.element("option", isChosen ? [.init("selected", "")] : [], text: one.reducer.name)
    }
    return .element("label", [], .text("Reducer "), .element("select", [.init("name", "reducer")], options))
  }

  private func state(of id: String, at version: Int, after previous: Int?) async throws -> [HTML] {
    let reducer = reducer.reducer
    if payload == .none {
      return [.heading("State after version \(version)"), .note("Payloads are not shown.")]
    }
    let state = try await part { try await store.state(of: id, at: .version(version), reducer: reducer) }
    var parts: [HTML] = [
      .heading("State after version \(version)"), state.html { .json(payload.json($0.state)) },
    ]
    if let previous {
      let changes = try await part {
        try await store.changes(of: id, from: .version(previous), to: .version(version), reducer: reducer)
      }
      let pair = [("from", "\(previous)"), ("to", "\(version)")]
      parts += [
        .heading("What version \(version) changed"),
        changes.html { table($0, ["change", "path", "old", "new"]) },
        .link(PageAddress(.difference(id), pair), "Both states, from \(previous) to \(version)"),
      ]
    }
    let blame = try await part { try await store.blame(id, at: .version(version), reducer: reducer) }
    parts += [
      .heading("Last change of each value"),
      blame.html { values in
        table(values, ["path", "value", "version", "event_type"]) { $0.event?.version == version }
      },
    ]
    return parts
  }

  /// Two states of an aggregate, and their differences.
  func difference(_ id: String) async throws -> Page {
    let last = try await ends(of: id).last.version
    let to = query["to"].flatMap { Int($0) } ?? last
    let from = query["from"].flatMap { Int($0) } ?? Int(Int64(to).saturatingAdd(-1))
    let (reducer, payload) = (reducer.reducer, payload)
    let changes = try await store.changes(of: id, from: .version(from), to: .version(to), reducer: reducer)
    var page = Page(title: "\(id) from version \(from) to \(to)")
    page.path = [("Streams", PageAddress(.streams)), (id, PageAddress(.stream(id), [("version", "\(to)")]))]
    page.body = [table(changes, ["change", "path", "old", "new"], caption: "Differences")]
    var halves: [HTML] = []
    for version in [from, to] where payload != .none {
      let state = try await part { try await store.state(of: id, at: .version(version), reducer: reducer) }
      let shown = state.html { .json(payload.json($0.state)) }
      halves.append(.element("section", [], .heading("After version \(version)"), shown))
    }
    page.body.append(.element("div", [.init("class", "halves")], halves))
    page.commands = [
      command("snapshot show", "\(quoteShellOperand(id)) --diff \(from) \(to)" + foldingOptions)
    ]
    page.records = printing(changes)
    return page
  }
}
