internal import EventStore

/// Answers requests; only some at a time use the database.
struct BrowseService: Sendable {
  let browser: Browser
  let stores: StorePool
  /// Nil if the file system decides who has access.
  let login: BrowseLogin?

  func answer(to request: BrowseRequest) async -> PageAnswer {
    if let refusal = RequestRules.refusal(of: request) { return refusal }
    if let answer = login?.answer(to: request) { return answer }
    if Browser.isAtHand(request.target) { return await answer(to: request, by: stores.first) }
    do {
      guard let store = try await stores.take() else { return Self.busy }
      let answer = await answer(to: request, by: store)
      await stores.giveBack(store)
      return answer
    } catch {
      return .text(503, "The server has too many connections.")
    }
  }

  private func answer(to request: BrowseRequest, by store: EventStore) async -> PageAnswer {
    do {
      return try await browser.answer(request.target, accept: request.all("accept").first, store)
    } catch {
      // Nobody waits for it any more, or the server stops.
      return .text(503, "The work was cancelled.")
    }
  }

  static var busy: PageAnswer {
    var answer = PageAnswer.text(503, "The server is busy. Try again.")
    answer.fields = [("Retry-After", "1")]
    return answer
  }
}

/// Stores of the same table, each with its own connection.
actor StorePool {
  nonisolated let first: EventStore
  private let most: Int
  private var idle: [EventStore]
  private var count = 1

  init(_ store: EventStore, most: Int = 4) {
    (first, self.most, idle) = (store, most, [store])
  }

  /// Nil when all are in use.
  func take() async throws -> EventStore? {
    if let store = idle.popLast() { return store }
    guard count < most else { return nil }
    count += 1
    do { return try await first.sibling() } catch {
      count -= 1
      throw error
    }
  }

  func giveBack(_ store: EventStore) { idle.append(store) }
}
