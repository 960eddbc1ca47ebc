internal import EventStore
internal import LibPQ

/// The answer to a request for a page.
struct PageAnswer: Sendable {
  var status: Int
  var type: String
  var body: [UInt8]
  /// More fields of the head.
  var fields: [(name: String, value: String)] = []
  /// Why there is no page, for a request from the command line. The page itself repeats nothing of the request.
  var failure: (any Error)?

  static func text(_ status: Int, _ text: String) -> PageAnswer {
    PageAnswer(status: status, type: "text/plain; charset=utf-8", body: Array((text + "\n").utf8))
  }

  /// Repeats nothing of the request.
  static let notFound = text(404, "This page does not exist. / lists the pages.")
}

/// Answers requests for addresses, from the store that is given.
struct Browser: Sendable {
  private let settings: BrowseSettings
  /// The database, its server and the role.
  private let place: String

  init(_ settings: BrowseSettings, for store: EventStore) async {
    let known = await store.connectionSettings()
    func value(_ name: String) -> String? {
      known.first { $0.keyword == name }.map(\.value).flatMap { $0.isEmpty ? nil : $0 }
    }
    let server = value("host").map { "@" + $0 } ?? ""
    place = "\(value("dbname") ?? "?")\(server) · \(value("user") ?? "?") · \(store.table)"
    self.settings = settings
  }

  /// Whether the page is made without the database.
  static func isAtHand(_ target: String) -> Bool {
    PageAddress(target).map { [.style, .script, .icon, .help].contains($0.place) } ?? true
  }

  /// - Parameters:
  ///   - target: path and query.
  ///   - accept: the requested types, if there are any.
  func answer(_ target: String, accept: String? = nil, _ store: EventStore) async throws -> PageAnswer {
    guard let address = PageAddress(target) else { return .notFound }
    let maker = PageMaker(store: store, settings: settings, address: address)
    do {
      switch try await maker.result() {
      case .asset(let type, let bytes):
        return PageAnswer(status: 200, type: type.description, body: Array(bytes.description.utf8))
      case .redirect(let address):
        var answer = PageAnswer.text(303, "See \(address.text)")
        answer.fields = [("Location", address.text)]
        return answer
      case .page(var page):
        page.finality = try await maker.finality()
        return render(page, address, accept)
      }
    } catch let error as EventStoreError {
      try Task.checkCancellation()
      var answer = render(Self.page(of: error), address, nil)
      answer.failure = error
      return answer
    }
  }

  private func render(_ page: Page, _ address: PageAddress, _ accept: String?) -> PageAnswer {
    if page.status == 200, let asked = address.query["o"] ?? Self.format(accept) {
      let types = [
        OutputFormat.json: "application/json", .ndjson: "application/x-ndjson",
        .csv: "text/csv; charset=utf-8",
      ]
      guard let format = OutputFormat(rawValue: asked), let type = types[format] else {
        return .text(400, "o is json, ndjson or csv.")
      }
      guard let records = page.records else { return .text(404, "This page has no records.") }
      var answer = PageAnswer(status: 200, type: type, body: Array(records(format).utf8))
      if let next = page.next?.with("o", asked) { answer.fields = [("Link", "<\(next.text)>; rel=\"next\"")] }
      return answer
    }
    let state = [place, page.finality].compactMap(\.self).joined(separator: " · ")
    let layout = PageLayout(page: page, address: address, place: state)
    return PageAnswer(status: page.status, type: "text/html; charset=utf-8", body: Array(layout.text.utf8))
  }

  /// The first format that is requested; nil for a page.
  private static func format(_ accept: String?) -> String? {
    let first = accept.map { $0.unicodeScalars.prefix { ![",", ";", " "].contains($0) } }
    let formats = ["application/json": "json", "application/x-ndjson": "ndjson", "text/csv": "csv"]
    return first.flatMap { formats[String($0)] }
  }

  private static func page(of error: EventStoreError) -> Page {
    let (status, text): (Int, String) =
      switch error.code {
      case .notFound: (404, "The store does not have this event, stream or name.")
      case .invalidInput: (400, "The parameters of this page are wrong.")
      case .cannotConnect, .connectionLost, .timedOut, .noSession, .stale:
        (503, "The database does not answer.")
      case .permissionDenied: (403, "The role cannot read this: \(error.message).")
      case _ where error.isOutOfTime: (503, "Not computed within \(BrowseLimits.statementText).")
      // The server could not read a text as a time or a number.
      case _ where error.sqlState?.utf8.starts(with: "22".utf8) == true:
        (400, "The parameters of this page are wrong.")
      default: (500, "\(error.message).")
      }
    var page = Page(status: status, title: status == 404 ? "Not found" : "Not shown")
    page.body = [.element("p", text: text)]
    if status != 404, let hint = error.hint { page.body.append(.note(Advice.text(hint))) }
    return page
  }
}
