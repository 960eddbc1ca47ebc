internal import Synchronization

/// The progress of a read whose events go to standard output, for ``StatusSignal``.
final class ReadStatus: Sendable {
  private struct State {
    var events: Int64 = 0
    var bytes: Int64 = 0
    var position: Int64?
  }

  private let title: String
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  init(_ title: String) {
    self.title = title
    StatusSignal.add(self) { [weak self] in self?.report() }
  }

  deinit { StatusSignal.remove(self) }

  func add(events: Int, upTo position: Int64?) {
    state.withLock { state in
      state.events += Int64(events)
      state.position = position ?? state.position
    }
  }

  /// Adds lines of NDJSON. Only the last one is parsed: counting all of them would slow the read down.
  func add(lines: [UInt8]) {
    let start = lines.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let digits = lines[start...].dropFirst(#"{"position":"#.utf8.count).prefix { $0 != UInt8(ascii: ",") }
    state.withLock { state in
      state.bytes += Int64(lines.count)
      state.position = Int64(String(decoding: digits, as: UTF8.self)) ?? state.position
    }
  }

  private func report() {
    let state = state.withLock(\.self)
    let amount = state.bytes > 0 ? "\(state.bytes >> 20) MB" : Field.counted(state.events, "event")
    let place = state.position.map { ", up to position \(Field.grouped($0))" } ?? ""
    StandardError.warn("\(title): \(amount)\(place), for \(Int((.now - start) / .seconds(1))) s")
  }
}
