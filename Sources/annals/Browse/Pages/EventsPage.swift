internal import EventStore

extension PageMaker {
  private static let columns = [
    "position", "aggregate_id", "version", "timestamp", "event_type", "event_data",
  ]

  /// The store by position, the newest event first.
  func events() async throws -> Page {
    var page = Page(title: "Events")
    guard try await store.hasPositions() else {
      page.body = [
        .note("This table has no positions, so its events have no total order."),
        .link(PageAddress(.streams), "Streams"),
      ]
      return page
    }
    let (found, windowStart) = try await eventsOfPage()
    let hasMore = found.count > BrowseLimits.events
    let shown = Array(found.prefix(BrowseLimits.events))
    // Read forwards, then reversed: the newest event is first on every page.
    let isForward = query["after"] != nil
    let events = isForward ? shown.reversed() : shown
    let older = isForward || hasMore ? events.last?.position : nil
    let newer =
      isForward
      ? (hasMore ? events.first?.position : nil) : query["before"] == nil ? nil : events.first?.position
    let olderPage = (older ?? windowStart).map { base.with("before", "\($0)") }
    page.body = [
      filters,
      steps(older: olderPage, newer: newer.map { base.with("after", "\($0)") }),
      table(events, Self.columns, caption: caption(events.count)),
      steps(older: olderPage, newer: newer.map { base.with("after", "\($0)") }),
    ]
    page.commands = [command("stream", "--reverse --limit \(BrowseLimits.events)" + filterOptions)]
    page.records = printing(events)
    page.next = olderPage
    if !isForward, query["before"] == nil { page.newest = events.first?.position ?? 0 }
    return page
  }

  private var base: PageAddress { address.with("before", nil).with("after", nil).with("o", nil) }

  /// The events of the page and one more, if there is one; and the first position that was read, if not all positions
  /// were.
  private func eventsOfPage() async throws -> (events: [Event], windowStart: Int64?) {
    var read = EventQuery()
    read.types = query.all("type").filter { !$0.isEmpty }
    read.category = query["category"]
    read.limit = BrowseLimits.events + 1
    if let after = query["after"].flatMap({ Int64($0) }) {
      read.fromPosition = after.saturatingAdd(1)
    } else {
      read.reversed = true
      read.toPosition = last
    }
    let windowStart = read.category == nil ? nil : try await limitWindow(of: &read)
    return (try await self.read(read), windowStart)
  }

  /// The last position before the one that the address names.
  private var last: Int64? { query["before"].flatMap { Int64($0) }?.saturatingAdd(-1) }

  /// Events of a category are found by reading positions: a page reads some of them.
  ///
  /// - Returns: the first of these positions, if there may be events before it.
  private func limitWindow(of read: inout EventQuery) async throws -> Int64? {
    if let first = read.fromPosition {
      read.toPosition = first.saturatingAdd(BrowseLimits.window)
    } else if let last = try await windowEnd(read) {
      read.toPosition = last
      read.fromPosition = max(0, last.saturatingAdd(-BrowseLimits.window))
    }
    return read.reversed ? read.fromPosition.flatMap { $0 > 0 ? $0 : nil } : nil
  }

  private func windowEnd(_ read: EventQuery) async throws -> Int64? {
    if let last = read.toPosition { return last }
    var head = EventQuery()
    (head.reversed, head.limit) = (true, 1)
    return try await self.read(head).first?.position
  }

  private func caption(_ count: Int) -> String {
    query["category"] == nil
      ? "" : "Events of the category among \(Field.grouped(BrowseLimits.window)) positions"
  }

  private var filterOptions: String {
    let types = query.all("type").filter { !$0.isEmpty }.map { " --type \(quoteShell($0))" }.joined()
    let category = query["category"].map { " --category \(quoteShell($0))" } ?? ""
    let before = last.map { " --to-position \($0)" } ?? ""
    return types + category + before + settings.upcasters
  }

  private var filters: HTML {
    .element(
      "form",
      [.init("class", "filters")],
      field("type", "Type"),
      field("category", "Category"),
      field("at", "At", "2 hours ago"),
      .element("button", text: "Show")
    )
  }

  func field(_ name: StaticString, _ label: String, _ example: String = "") -> HTML {
    .element(
      "label",
      [],
      .text(label + " "),
      .void(
        "input",
        [
          .init("name", name.description), .init("value", query[name.description] ?? ""),
          .init("placeholder", example), .init("autocomplete", "off"),
        ]
      )
    )
  }

  /// The links are in the same order, and in the same place, on all pages.
  func steps(older: PageAddress?, newer: PageAddress?) -> HTML {
    .element(
      "p",
      [.init("class", "steps")],
      .step(newer, "← newer", rel: "prev"),
      .raw(" "),
      .step(older, "older →", rel: "next")
    )
  }

  /// A time becomes the position of the last event until then, so that the link shows the same to everybody.
  func place(at text: String) async throws -> PageAddress {
    let time = try await store.times(text).upperBound
    let events = address.with("at", nil)
    guard try await store.hasPositions() else { return events }
    let position = try await store.position(until: time)
    return position.map { events.with("before", "\($0.saturatingAdd(1))") } ?? events.with("after", "-1")
  }

  /// What the text in the search field means: an event, a trace, a stream, a time, or the beginning of a name.
  func found() async throws -> PageAddress {
    guard let text = query["to"] else { return PageAddress(.start) }
    let digits = text.utf8.first == UInt8(ascii: "@") ? String(text.dropFirst()) : text
    if let position = Int64(digits) { return PageAddress(.event(.position(position))) }
    if let id = EventID(text) {
      if case .done = try await part({ try await store.context(of: .id(id)) }) {
        return PageAddress(.event(.id(id)))
      }
      if try await isStream(text) { return PageAddress(.stream(text)) }
      return PageAddress(.trace(text))
    }
    if try await isStream(text) { return PageAddress(.stream(text)) }
    if case .done = try await part({ try await store.times(text) }) {
      return PageAddress(.events, [("at", text)])
    }
    return PageAddress(.streams, [("prefix", text)])
  }

  private func isStream(_ id: String) async throws -> Bool {
    var first = EventQuery(aggregateID: id)
    first.limit = 1
    if case .done = try await part({ [first] in try await read(first) }) { return true }
    return false
  }
}
