internal import Dispatch
internal import Glibc
internal import Synchronization

/// Says how far long work is: a bar on a terminal, a line every so often with `--progress`, and a line at each SIGUSR1.
///
/// It writes only when the clock has moved on, whatever the rate of the calls.
final class ProgressLine: Sendable {
  private struct State {
    let start = ContinuousClock.now
    var lastShown: ContinuousClock.Instant?
    /// What the first call told, so that a resumed run's rates count only its own work.
    var first: Step?
    var isBarShown = false
  }

  private struct Step {
    var done: Int64
    var total: Int64
    var events: Int64
  }

  private let title: String
  /// Between two lines; nil for the bar of a terminal, or nothing.
  private let interval: Duration?
  private let state = Mutex(State())
  private let latest = Mutex<Step?>(nil)
  private let signalSource = Mutex<(any DispatchSourceSignal)?>(nil)

  init(_ title: String, every intervalSeconds: Double? = nil) {
    self.title = title
    interval = intervalSeconds.map { .seconds($0) }
    // Dispatch only watches: without this the signal would end the process.
    signal(SIGUSR1, SIG_IGN)
    signalSource.withLock {
      let source = DispatchSource.makeSignalSource(signal: SIGUSR1)
      source.setEventHandler { [weak self] in self?.report() }
      source.resume()
      $0 = source
    }
  }

  deinit { signalSource.withLock { $0?.cancel() } }

  /// - Parameters:
  ///   - done: how much of `total` is done, in any unit.
  ///   - events: the number to show.
  func show(done: Int64, of total: Int64, events: Int64) {
    let step = Step(done: done, total: total, events: events)
    latest.withLock { $0 = step }
    state.withLock { state in
      let now = ContinuousClock.now
      if state.first == nil { state.first = step }
      guard interval != nil || StandardError.isTerminal else { return }
      let pause = interval ?? .milliseconds(100)
      if let last = state.lastShown ?? (interval == nil ? nil : state.start), now - last < pause {
        guard interval == nil, done == total else { return }
      }
      state.lastShown = now
      if interval != nil {
        StandardError.write("annals: \(text(step, since: state))\n")
      } else {
        state.isBarShown = true
        StandardError.write(
          "\r" + Terminal.cut(bar(step) + text(step, since: state), to: Terminal.width) + "\u{1B}[K"
        )
      }
    }
  }

  /// Clears the bar.
  func finish() {
    state.withLock { state in
      if state.isBarShown { StandardError.write("\r\u{1B}[K") }
      state.isBarShown = false
    }
  }

  private func report() {
    let step = latest.withLock(\.self)
    state.withLock { state in
      let line = step.map { text($0, since: state) } ?? "\(title): nothing yet"
      StandardError.write((state.isBarShown ? "\r\u{1B}[K" : "") + "annals: \(line)\n")
    }
  }

  private func bar(_ step: Step) -> String {
    let full = step.total > 0 ? Int(Double(step.done) / Double(step.total) * 24) : 24
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: max(0, 24 - full)) + "] "
  }

  private func text(_ step: Step, since state: State) -> String {
    let first = state.first ?? step
    let seconds = max(0.001, (ContinuousClock.now - state.start) / .seconds(1))
    let share = step.total > 0 ? Int(Double(step.done) / Double(step.total) * 100) : 100
    let rate = Double(step.done - first.done) / seconds
    let left = rate > 0 ? "\(Int(Double(step.total - step.done) / rate)) s left" : "no estimate yet"
    let eventRate = Field.grouped(Int64(Double(step.events - first.events) / seconds))
    return "\(title): \(share)%, \(Field.grouped(step.events)) events, \(eventRate)/s, "
      + "\(Field.grouped(step.total - step.done)) positions behind, \(left)"
  }
}
