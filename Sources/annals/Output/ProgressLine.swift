internal import Synchronization

/// One line on the terminal that says how far long work is; nothing where no terminal is.
///
/// It writes only when the clock has moved on a tenth of a second, whatever the rate of the calls.
final class ProgressLine: Sendable {
  private struct State {
    let start = ContinuousClock.now
    var lastShown: ContinuousClock.Instant?
    /// Where the first call was, so that a resumed run's rate counts only its own work.
    var first: Int64?
  }

  private let title: String
  private let state = Mutex(State())

  init(_ title: String) {
    self.title = title
  }

  /// - Parameters:
  ///   - done: how much of `total` is done, in any unit.
  ///   - events: the number to show.
  func show(done: Int64, of total: Int64, events: Int64) {
    guard StandardError.isTerminal else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      if let last = state.lastShown, now - last < .milliseconds(100), done < total { return }
      state.lastShown = now
      let first = state.first ?? done
      state.first = first
      let seconds = max(0.001, (now - state.start) / .seconds(1))
      let rate = Double(done - first) / seconds
      let remaining = rate > 0 ? Int(Double(total - done) / rate) : 0
      let share = total > 0 ? Double(done) / Double(total) : 1
      let bar = String(repeating: "#", count: Int(share * 24)).padded(to: 24)
      let line =
        "\(title) [\(bar)] \(Int(share * 100))%  \(Field.grouped(events)) events  \(remaining) s left"
      StandardError.write("\r" + Terminal.cut(line, to: Terminal.width) + "\u{1B}[K")
    }
  }

  /// Clears the line.
  func finish() {
    state.withLock { state in
      if state.lastShown != nil { StandardError.write("\r\u{1B}[K") }
    }
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: ".", count: max(0, width - count))
  }
}
