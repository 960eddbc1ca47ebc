internal import EventStore

/// A replay into a command, tried again from where it failed.
struct HandlerReplay {
  let store: EventStore
  let handler: EventHandlerProcess
  let retries: Int
  var query: EventQuery
  var options: ReplayOptions
  private let status = ReadStatus("replay")

  /// - Throws: ``CommandError`` when the command failed once more than it may without getting any further.
  mutating func run() async throws {
    options.batchSize = EventHandlerProcess.batchSize
    // The answers are positions: this refuses a table without them.
    query.fromPosition = query.fromPosition ?? 1
    var failures = 0
    while true {
      let before = query.fromPosition
      do {
        return try await attempt()
      } catch let failure as HandlerProcessFailure {
        failures = query.fromPosition == before ? failures + 1 : 1
        guard failures <= retries else { throw stopped(by: failure) }
        let pause = 1 << min(failures - 1, 10)
        StandardError.warn(
          "the command \(failure.what); trying again in \(pause) s (\(failures) of \(retries))"
        )
        try await Task.sleep(for: .seconds(pause))
      }
    }
  }

  private mutating func attempt() async throws {
    var query = query
    defer { self.query = query }
    try await handler.run { session in
      _ = try await store.replay(query, options) { batch in
        do {
          try await session.handle(batch)
          Self.move(&query, behind: batch.positions.last, in: batch)
          status.add(events: batch.count, upTo: batch.positions.last)
        } catch let error as PartlyDone {
          Self.move(&query, behind: error.position, in: batch)
          throw error
        }
      }
    }
  }

  private static func move(_ query: inout EventQuery, behind position: Int64?, in batch: EventBatch) {
    guard let position else { return }
    query.fromPosition = position + 1
    query.limit = query.limit.map { $0 - batch.positions.count { $0 <= position } }
  }

  private func stopped(by failure: HandlerProcessFailure) -> CommandError {
    let next = query.fromPosition ?? 1
    return CommandError(
      .failure,
      "the command \(failure.what)",
      code: "handlerFailed",
      detail: "It was done with the events before position \(next).",
      hint: options.checkpoint == nil
        ? "Go on with --from-position \(next) when it is mended."
        : "Run again when it is mended; the checkpoint is where it was done."
    )
  }
}
