internal import EventStore

/// The answer to one request.
enum PageResult {
  case page(Page)
  case redirect(PageAddress)
  case asset(type: StaticString, StaticString)
}

/// A page before it is markup.
struct Page {
  var status = 200
  var title: String
  /// The lists that lead to it.
  var path: [(text: String, address: PageAddress)] = []
  /// Command lines that print the same data.
  var commands: [String] = []
  var body: [HTML] = []
  /// The records of the page, as a command prints them; nil if there are none.
  var records: ((OutputFormat) -> String)?
  /// The page with the next records.
  var next: PageAddress?
  /// How far history is final, and whether a standby says so, in a few words.
  var finality: String?
  /// The last position when the page was made, where newer events may come.
  var newest: Int64?
}

/// A part of a page with its own time limit.
enum PagePart<Value> {
  case done(Value)
  case late
  case failed(String)

  var value: Value? {
    if case .done(let value) = self { value } else { nil }
  }

  /// The part, or why it is missing.
  func html(_ body: (Value) -> HTML) -> HTML {
    switch self {
    case .done(let value): body(value)
    case .late:
      .element("p", [.init("class", "late")], text: "Not computed within \(BrowseLimits.statementText).")
    case .failed(let message): .element("p", [.init("class", "late")], text: message)
    }
  }
}

enum BrowseLimits {
  static let statement = Duration.seconds(2)
  static let statementText = "2 s"
  static let lock = Duration.milliseconds(200)
  /// Events of a list.
  static let events = 50
  /// Streams of a list.
  static let streams = 100
  /// Events of a stream beside its state.
  static let versions = 200
  /// Positions that a filter without an index reads.
  static let window: Int64 = 200_000
}

/// The settings of the command line for all pages.
struct BrowseSettings: Sendable {
  var payload = PayloadExtent.full
  /// The first one is used if a page names none.
  var reducers: [(path: String?, reducer: Reducer)] = [(nil, .merge)]
  /// The option that the commands on the pages repeat, with a blank before it.
  var upcasters = ""
  /// A file with the findings of a check of versions.
  var verify: String?
  /// A file with the runs of reports.
  var history: String?
  /// How long a part of a page may take, with all its statements.
  var partLimit = BrowseLimits.statement
}

/// Makes the page of an address. It only reads, by a store that can do nothing else.
struct PageMaker {
  let store: EventStore
  let settings: BrowseSettings
  let address: PageAddress

  var query: PageQuery { address.query }
  var payload: PayloadExtent { settings.payload }

  func result() async throws -> PageResult {
    switch address.place {
    case .style: .asset(type: "text/css; charset=utf-8", BrowseStyle.css)
    case .script: .asset(type: "text/javascript; charset=utf-8", BrowseScript.text)
    case .icon: .asset(type: "image/svg+xml", BrowseStyle.icon)
    case .search: .redirect(try await found())
    case .events:
      if let time = query["at"] { .redirect(try await place(at: time)) } else { .page(try await events()) }
    default: .page(try await page())
    }
  }

  private func page() async throws -> Page {
    switch address.place {
    case .start: try await start()
    case .event(let reference): try await event(reference)
    case .streams: try await streams()
    case .stream(let id): try await stream(id)
    case .difference(let id): try await difference(id)
    case .compare: try await comparison()
    case .trace(let id): try await trace(id)
    case .projections: try await projections(nil)
    case .projection(let name): try await projections(name)
    case .deadLetters: try await deadLetters()
    case .deadLetter(let name, let position): try await deadLetter(name, position)
    case .types: try await types()
    case .type(let name): try await type(name)
    case .checks: try await checks()
    default: help()
    }
  }

  /// Runs the statements for a part of a page.
  ///
  /// - Throws: failures of the whole page: no connection, or nobody waits for it any more.
  func part<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> PagePart<Value> {
    let work = Task { try await body() }
    let limit = Task {
      try await Task.sleep(for: settings.partLimit)
      work.cancel()
    }
    defer { limit.cancel() }
    do {
      return .done(
        try await withTaskCancellationHandler {
          try await work.value
        } onCancel: {
          work.cancel()
        }
      )
    } catch {
      try Task.checkCancellation()
      if work.isCancelled { return .late }
      guard let error = error as? EventStoreError else { throw error }
      let endsAll: [EventStoreError.Code] = [.cannotConnect, .connectionLost, .noSession, .timedOut, .stale]
      if endsAll.contains(error.code) { throw error }
      return error.isOutOfTime
        ? .late : .failed(payload == .full ? error.message : "Not computed: \(error.code.rawValue).")
    }
  }

  /// Events that a query finds, with as much of them as may be shown.
  func read(_ query: EventQuery) async throws -> [Event] {
    var query = query
    query.waitsForWriters = false
    var events: [Event] = []
    for try await event in store.events(matching: query, retryTimeout: BrowseLimits.statement) {
      events.append(payload.event(event))
    }
    return events
  }

  /// The text beside the name of the database: the position up to which no event can appear any more.
  func finality() async throws -> String? {
    // The page of keys is made without waiting for others.
    guard address.place != .help, query["o"] == nil else { return nil }
    guard let watermark = try await part({ try await store.watermark() }).value else { return nil }
    let end =
      if let position = watermark.position {
        "watermark \(Field.grouped(position))" + (position < watermark.head ? "" : " final")
      } else if watermark.isReplayed {
        "no watermark published"
      } else {
        "\(Field.counted(watermark.writers.count, "writer")) below \(Field.grouped(watermark.head))"
      }
    return watermark.isReplayed ? "standby · \(end)" : end
  }

  func printing<R: Record>(_ records: [R]) -> (OutputFormat) -> String {
    { RecordPrinter.text(records, as: $0, hiding: payload.hiddenFields) }
  }

  func table<R: Record>(
    _ records: [R],
    _ columns: [String] = [],
    caption: String = "",
    mark: (R) -> Bool = { _ in false }
  ) -> HTML {
    if records.isEmpty {
      return .element("p", [.init("class", "soft")], text: caption.isEmpty ? "None." : "\(caption): none.")
    }
    return RecordTable.html(
      records,
      columns: columns,
      hiding: payload.hiddenFields,
      caption: caption,
      mark: mark
    )
  }

  /// The reducer that the address names, or the first one.
  var reducer: (path: String?, reducer: Reducer) {
    let name = query["reducer"]
    return settings.reducers.first { $0.reducer.name == name } ?? settings.reducers[0]
  }

  /// The options of a command that reads in the same way as these pages.
  var foldingOptions: String {
    (reducer.path.map { " --reducer \(quoteShell($0))" } ?? "") + settings.upcasters
  }

  /// A command line that reads the store of these pages.
  func command(_ subcommand: String, _ arguments: String = "") -> String {
    Advice.line(subcommand, arguments)
  }
}

extension HTML {
  static func link(_ address: PageAddress, _ text: String, _ attributes: [Attribute] = []) -> HTML {
    .element("a", [.init("href", address.text)] + attributes, text: text)
  }

  /// A link; without an address its place stays empty.
  static func step(_ address: PageAddress?, _ text: String, rel: String) -> HTML {
    guard let address else { return .element("span", [.init("class", "soft")], text: text) }
    return .link(address, text, [.init("rel", rel)])
  }

  static func heading(_ text: String) -> HTML { .element("h2", text: text) }

  static func note(_ text: String) -> HTML { .element("p", [.init("class", "soft")], text: text) }

  /// JSON over several lines, limited to what a page can show.
  static func json(_ json: String) -> HTML {
    let most = 60_000
    let cut = RecordTable.cut(json, to: most)
    // Each level indents, so a deeply nested text would grow with the square of its depth.
    let lines = depth(of: cut) > 40 ? [cut] : PrettyJSON.lines(cut)
    let shown = lines.map { HTML.text($0) + .raw("\n") }
    let note = cut.utf8.count == json.utf8.count ? HTML() : HTML.note("Cut. ?o=json has all of it.")
    return .element("pre", [], shown) + note
  }

  private static func depth(of json: String) -> Int {
    var (depth, most) = (0, 0)
    for byte in json.utf8 {
      if byte == 0x7B || byte == 0x5B { depth += 1 }
      if byte == 0x7D || byte == 0x5D { depth -= 1 }
      most = max(most, depth)
    }
    return most
  }
}
