/// Limits how many tests at a time have a database or a server: Swift Testing starts all of them at once, and hundreds
/// of connections and processes on two cores would only wait for one another.
actor DatabaseSlots {
  static let shared = DatabaseSlots(count: 12)

  /// Set inside a test that has a database, so that its second one waits for nobody.
  @TaskLocal private static var hasSlot = false

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  private init(count: Int) {
    free = count
  }

  nonisolated func withSlot<R>(_ body: () async throws -> R) async rethrows -> R {
    if Self.hasSlot { return try await body() }
    await take()
    do {
      let result = try await Self.$hasSlot.withValue(true) { try await body() }
      await give()
      return result
    } catch {
      await give()
      throw error
    }
  }

  private func take() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  private func give() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}
