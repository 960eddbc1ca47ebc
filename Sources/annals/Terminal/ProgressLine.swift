internal import Dispatch
internal import EventStore
internal import Glibc
internal import Synchronization

/// Shows the progress of long work: a bar on a terminal, a line at intervals with `--progress` and at each SIGUSR1.
///
/// It writes only when the clock has moved on, whatever the rate of the calls.
final class ProgressLine: Sendable {
  private struct State {
    let start = ContinuousClock.now
    var lastShown: ContinuousClock.Instant?
    /// The first call, so that a resumed run's rates count only its own work.
    var first: Step?
    var latest: Step?
    /// Whether there is more to report than the last line.
    var isBehind = false
  }

  private struct Step {
    var done: Int64
    /// Nil if it is not known.
    var total: Int64?
    var events: Int64
    /// The phase after the events.
    var phase: String?
  }

  private let title: String
  /// The meaning of the rest of `total`, in words; nil leaves it out.
  private let restName: String?
  /// The time between two lines; nil for the bar of a terminal, or no output.
  private let interval: Duration?
  private let state = Mutex(State())
  private let sources = Mutex<[any DispatchSourceProtocol]>([])

  init(_ title: String, every interval: Duration? = nil, rest: String? = "positions behind") {
    self.title = title
    restName = rest
    self.interval = interval
    StatusSignal.add(self) { [weak self] in self?.report() }
    guard interval == nil, StandardError.isTerminal else { return }
    watch({ DispatchSource.makeSignalSource(signal: SIGWINCH) }, then: { $0.redraw() })
    // Redraws regularly: a step that came soon after another is still shown, and a long one has a current estimate.
    watch(Self.makeTimer, then: { $0.redraw() })
  }

  deinit {
    StatusSignal.remove(self)
    sources.withLock { for source in $0 { source.cancel() } }
    // Also when the work failed.
    StandardError.draw(nil)
  }

  @Sendable private static func makeTimer() -> any DispatchSourceProtocol {
    let timer = DispatchSource.makeTimerSource()
    timer.schedule(deadline: .now(), repeating: .milliseconds(500))
    return timer
  }

  private func watch(
    _ make: @Sendable () -> any DispatchSourceProtocol,
    then body: @escaping @Sendable (ProgressLine) -> Void
  ) {
    sources.withLock {
      let source = make()
      source.setEventHandler { [weak self] in if let self { body(self) } }
      source.resume()
      $0.append(source)
    }
  }

  func show(_ progress: EventStore.Progress) {
    let phase: String? =
      switch progress.phase {
      case .running: nil
      case .checking: "checking"
      case .comparing: "comparing with the live tables"
      case .swapping: "swapping in"
      }
    show(done: progress.done, of: progress.total, events: progress.events ?? progress.done, phase: phase)
  }

  /// - Parameters:
  ///   - done: how much of `total` is done, in any unit; nil means that the total is not known.
  ///   - events: the number to show.
  ///   - phase: the current phase, if it is not the events.
  func show(done: Int64, of total: Int64?, events: Int64, phase: String? = nil) {
    state.withLock { state in
      let step = Step(done: done, total: total, events: events, phase: phase)
      let isNewPhase = state.latest?.phase != phase && state.latest != nil
      state.latest = step
      if state.first == nil { state.first = step }
      guard interval != nil || StandardError.isTerminal else { return }
      let now = ContinuousClock.now
      let pause = interval ?? .milliseconds(100)
      if !isNewPhase, let last = state.lastShown ?? (interval == nil ? nil : state.start), now - last < pause
      {
        state.isBehind = true
        guard interval == nil, done == total else { return }
      }
      state.lastShown = now
      state.isBehind = false
      if interval != nil {
        StandardError.warn("\(line(step, since: state))")
      } else if Interruption.status == nil {
        StandardError.draw(bar(step, since: state))
      }
    }
  }

  /// Clears the bar. After a first line, the last one is always written, however soon the end comes.
  func finish() {
    state.withLock { state in
      if interval != nil, state.lastShown != nil, state.isBehind, let step = state.latest {
        StandardError.warn("\(line(step, since: state))")
      }
      (state.latest, state.isBehind) = (nil, false)
    }
    StandardError.draw(nil)
  }

  private func report() {
    let text = state.withLock { state in state.latest.map { self.line($0, since: state) } }
    StandardError.warn("\(text ?? "\(title): nothing yet")")
  }

  private func redraw() {
    state.withLock { state in
      guard let step = state.latest, Interruption.status == nil else { return }
      StandardError.draw(bar(step, since: state))
    }
  }

  private func line(_ step: Step, since state: State) -> String {
    let text = texts(step, since: state)
    let rest = restName.flatMap { name in
      step.total.map { "\(Field.grouped(step.done.span(to: $0))) \(name)" }
    }
    return title + ": " + joined(text.share, text.events, text.rate, rest, text.left)
  }

  private func joined(_ parts: String?...) -> String { parts.compactMap(\.self).joined(separator: ", ") }

  /// As much as fits into a line of the terminal; the remaining time is left out last.
  ///
  /// The last column stays empty: a terminal that has filled it breaks the line only with the next character.
  private func bar(_ step: Step, since state: State) -> String {
    let width = Terminal.errorWidth - 1
    let text = texts(step, since: state)
    let left = joined(text.share, text.left)
    let candidates = [
      "\(title): \(joined(text.share, text.events, text.rate, text.left))",
      "\(title): \(joined(text.share, text.rate, text.left))",
      "\(title): \(left)", left,
    ]
    guard let total = step.total else { return Terminal.cut(candidates[0], to: width) }
    let shortest = 10
    guard let fitting = candidates.first(where: { Terminal.columns(of: $0) + shortest + 3 <= width }) else {
      return Terminal.cut(left, to: width)
    }
    let length = min(24, width - 3 - Terminal.columns(of: fitting))
    let full = Int(share(step, of: total) * Double(length))
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: length - full) + "] "
      + fitting
  }

  private func texts(
    _ step: Step,
    since state: State
  ) -> (share: String?, events: String, rate: String, left: String?) {
    let first = state.first ?? step
    let seconds = max(0.001, (ContinuousClock.now - state.start) / .seconds(1))
    let eventRate = Field.grouped(Int64(Double(first.events.span(to: step.events)) / seconds))
    let events = (Field.counted(step.events, "event"), "\(eventRate)/s")
    guard let total = step.total else { return (nil, events.0, events.1, step.phase) }
    let rate = Double(first.done.span(to: step.done)) / seconds
    let rest = Double(step.done.span(to: total))
    let left = rate > 0 ? "\(Interval(seconds: rest / rate)) left" : "no estimate yet"
    return ("\(Int(share(step, of: total) * 100))%", events.0, events.1, step.phase ?? left)
  }

  /// From 0 to 1; positions need not be above 0.
  private func share(_ step: Step, of total: Int64) -> Double {
    total > 0 ? min(1, max(0, Double(step.done) / Double(total))) : step.done < total ? 0 : 1
  }
}
