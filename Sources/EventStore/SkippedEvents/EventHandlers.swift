internal import LibPQ

/// The handlers of a projection as a function in the server, and the events that they take.
struct EventHandlers: Sendable {
  let apply: GeneratedCode
  private let file: Projection
  private let source: String

  /// - Parameters:
  ///   - source: the FROM item of the events.
  ///   - filter: a condition on its columns, for workers that share the events.
  ///   - name: of the function.
  init(
    _ file: Projection,
    source: String,
    filter: String? = nil,
    named name: String = "annals_apply"
  ) {
    self.file = file
    self.source = filter.map { "(SELECT * FROM \(source) AS annals_source WHERE \($0))" } ?? source
    apply = ProjectionCompiler(file, source: source, filter: filter).applyFunction(named: name)
  }

  /// An event of theirs that they do not get.
  fileprivate func seenEvent(at position: Int64, _ connection: Connection) throws -> SeenEvents {
    try file.seenEvents(of: source, from: position, upTo: position, connection)
  }
}

extension Connection {
  /// Runs handlers on the events of a range, except the skipped ones, which count as met all the same: they are in the
  /// store, and whether they are skipped may change.
  ///
  /// - Parameter skipped: positions in the range, in their order.
  /// - Returns: how many were handled, and which were met.
  func handleEvents(
    by handlers: EventHandlers,
    after start: Int64?,
    upTo end: Int64,
    except skipped: [Int64],
    within confinement: Confinement
  ) throws -> (events: Int64, seen: SeenEvents) {
    var (start, events, seen) = (start, Int64(0), SeenEvents())
    func handle(upTo end: Int64) throws {
      let handled = try handleEvents(by: handlers.apply, after: start, upTo: end, within: confinement)
      events += handled.count
      seen += handled
    }
    for position in skipped {
      let (before, isLowest) = position.subtractingReportingOverflow(1)
      if !isLowest, start.map({ $0 < before }) ?? true { try handle(upTo: before) }
      seen += try handlers.seenEvent(at: position, self)
      start = position
    }
    if start.map({ $0 < end }) ?? true { try handle(upTo: end) }
    return (events, seen)
  }
}
