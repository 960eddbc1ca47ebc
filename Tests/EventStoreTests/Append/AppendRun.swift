import EventStore
import TestSupport
import Testing

/// One append whose connection is cut at one message.
struct AppendRun: Sendable {
  let append: AppendUnderCuts
  let step: ProtocolStep
  let cut: ServerProxy.Action
  /// Whether no later message passes either, as when the server is away for longer than the append's patience.
  let isForGood: Bool
  /// Names its streams and its connections.
  private let name = "r\(UInt32.random(in: .min ... .max))"

  init(append: AppendUnderCuts, step: ProtocolStep, cut: ServerProxy.Action, isForGood: Bool) {
    (self.append, self.step, self.cut, self.isForGood) = (append, step, cut, isForGood)
  }

  func check(_ db: TestDatabase) async throws {
    let proxy = try ServerProxy(to: db) { message in
      guard message.direction == step.direction, message.number >= step.number else { return .pass }
      if message.number == step.number { return cut }
      return isForGood ? .cut(.before) : .pass
    }
    var options = BulkAppendOptions()
    (options.batchSize, options.workers) = (append.batchSize, append.workers)
    options.retryTimeout = .milliseconds(isForGood ? 200 : 1000)
    let conninfo = "\(proxy.database.conninfo) application_name=\(name)"
    let error = await append(conninfo, name, options)
    proxy.stop()

    let outcome = error.map { "\($0.message); \($0.detail ?? "-"); \($0.hint?.description ?? "-")" }
    let what: Comment =
      "\(step), \(cut), for good: \(isForGood): \(outcome ?? "no error")"
    let stored = try await stored(db)
    #expect(said(error).contains(stored.count) && stored.isRight, what)
    guard let error else { return }
    let again = await append(db.conninfo, name, options.following(error))
    #expect(again == nil, what)
    let all = try await self.stored(db)
    #expect(all.count == append.lineCount && all.isRight, what)
  }

  /// How many events are stored once the run's connections have ended, and whether that is so of each line once, and in
  /// the order of the lines.
  private func stored(_ db: TestDatabase) async throws -> (count: Int, isRight: Bool) {
    let answer = try await db.psql(
      """
      DO $$ BEGIN
        WHILE EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '\(name)') LOOP
          PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
        END LOOP;
      END $$;
      SELECT count(*), count(*) = count(DISTINCT n) AND NOT coalesce(bool_or(is_before), false) FROM (
        SELECT event_data -> 'n' AS n,
          event_data -> 'n' < lag(event_data -> 'n') OVER (PARTITION BY aggregate_id ORDER BY version) AS is_before
        FROM events WHERE aggregate_id LIKE '\(name)-%') AS e
      """
    ).split(separator: "|")
    return (Int(answer[0]) ?? -1, answer[1] == "t")
  }

  /// How many lines an outcome says are stored.
  private func said(_ error: EventStoreError?) -> ClosedRange<Int> {
    guard let error else { return append.lineCount...append.lineCount }
    let text = "\(error.message) \(error.detail ?? "")"
    let isUnknown = text.contains("not known")
    // Before anything is sent, nothing is said of it.
    let isEarly = error.code == .cannotConnect || (error.code == .connectionLost && error.detail == nil)
    if isEarly || text.contains("Nothing was appended.") {
      #expect(!isUnknown, "\(error)")
      return 0...0
    }
    if let match = text.firstMatch(of: /Lines 1 to (\d+) are committed(, and some after them)?/) {
      let count = Int(match.1) ?? 0
      let isMore = isUnknown || match.2 != nil
      return count...(isMore ? append.lineCount : count)
    }
    #expect(
      isUnknown || text.contains("Some lines are committed"),
      "nothing is said of what is stored: \(error)"
    )
    return (isUnknown ? 0 : 1)...append.lineCount
  }
}
