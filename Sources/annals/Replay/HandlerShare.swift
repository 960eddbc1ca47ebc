internal import EventStore
internal import Synchronization

/// Events that one process of a command is given, in their order, and how far it is with them.
final class HandlerShare: Sendable {
  private struct State {
    /// How many of the events are done.
    var done = 0
    /// The command failed at one of the events before this row, and gets them one by one.
    var suspect = 0
    /// Those that it was given.
    var given = 0..<0
  }

  private let batch: EventBatch
  private let state = Mutex(State())

  init(_ batch: EventBatch) {
    self.batch = batch
  }

  /// The positions of the events that are done.
  var done: ArraySlice<Int64> { batch.positions.prefix(state.withLock(\.done)) }
  /// The first position of those that are not.
  var firstUndone: Int64? { batch.positions.dropFirst(state.withLock(\.done)).first }

  /// Positions of the events that the command received and did not answer.
  var unanswered: ArraySlice<Int64> {
    let rows = state.withLock { $0.given.clamped(to: $0.done..<batch.count) }
    return batch.positions[rows]
  }

  /// Passes on what is left.
  func pass(to session: EventHandlerSession) async throws {
    while let next = next() {
      do {
        try await session.handle(next) { settle(upTo: $0) }
      } catch let error as PartlyDone {
        throw error.cause
      }
    }
  }

  private func next() -> EventBatch? {
    let rows = state.withLock { state in
      state.given = state.done..<(state.done < state.suspect ? state.done + 1 : batch.count)
      return state.given
    }
    if rows.isEmpty { return nil }
    return rows.count == batch.count ? batch : batch.events(rows)
  }

  /// Takes the events up to a position for done.
  func settle(upTo position: Int64) {
    state.withLock { state in
      while state.done < batch.count, batch.positions[state.done] <= position { state.done += 1 }
    }
  }

  /// Has the events that the command was given be passed on one by one.
  func suspect() {
    state.withLock { $0.suspect = $0.given.upperBound }
  }
}
