import EventStore
import TestSupport
import Testing

/// One append whose connection is cut at one message. Several are run and compared together, since each look starts
/// psql.
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

  /// Runs all of them at once, compares what they have stored, follows the advice of their errors, and compares again.
  static func check(_ runs: ArraySlice<AppendRun>, _ db: TestDatabase) async throws {
    let errors = try await withThrowingTaskGroup(of: (String, EventStoreError?).self) { group in
      for run in runs { group.addTask { (run.name, try await run.cutAppend(db)) } }
      return try await group.reduce(into: [:]) { $0[$1.0] = .some($1.1) }
    }
    let stored = try await stored(runs, db)
    for run in runs {
      let error = errors[run.name] ?? nil
      let found = stored[run.name] ?? (0, true)
      #expect(run.said(error).contains(found.count) && found.isRight, run.comment(error))
      guard let error else { continue }
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (run.append.batchSize, run.append.workers)
      let again = await run.append(db.conninfo, run.name, options.following(error))
      #expect(again == nil, run.comment(error))
    }
    let all = try await self.stored(runs, db)
    for run in runs {
      let found = all[run.name] ?? (0, true)
      #expect(found.count == run.append.lineCount && found.isRight, run.comment(errors[run.name] ?? nil))
    }
  }

  private func comment(_ error: EventStoreError?) -> Comment {
    let outcome = error.map { "\($0.message); \($0.detail ?? "-"); \($0.hint?.description ?? "-")" }
    return "\(step), \(cut), for good: \(isForGood): \(outcome ?? "no error")"
  }

  private func cutAppend(_ db: TestDatabase) async throws -> EventStoreError? {
    let proxy = try ServerProxy(to: db) { message in
      guard message.direction == step.direction, message.number >= step.number else { return .pass }
      if message.number == step.number { return cut }
      return isForGood ? .cut(.before) : .pass
    }
    defer { proxy.stop() }
    var options = BulkAppendOptions()
    (options.batchSize, options.workers) = (append.batchSize, append.workers)
    options.retryTimeout = .milliseconds(isForGood ? 200 : 1000)
    return await append("\(proxy.database.conninfo) application_name=\(name)", name, options)
  }

  /// How many events of each run are stored after their connections have ended, and whether each line is stored once,
  /// in the order of the lines.
  private static func stored(
    _ runs: ArraySlice<AppendRun>,
    _ db: TestDatabase
  ) async throws -> [String: (count: Int, isRight: Bool)] {
    let names = runs.map { "'\($0.name)'" }.joined(separator: ", ")
    let answer = try await db.psql(
      """
      DO $$ BEGIN
        WHILE EXISTS (SELECT FROM pg_stat_activity WHERE application_name IN (\(names))) LOOP
          PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
        END LOOP;
      END $$;
      SELECT run, count(*), count(*) = count(DISTINCT n) AND NOT coalesce(bool_or(is_before), false) FROM (
        SELECT split_part(aggregate_id, '-', 1) AS run, event_data -> 'n' AS n,
          event_data -> 'n' < lag(event_data -> 'n') OVER (PARTITION BY aggregate_id ORDER BY version) AS is_before
        FROM events) AS e
      WHERE run IN (\(names)) GROUP BY run
      """
    )
    return answer.split(separator: "\n").reduce(into: [:]) { found, line in
      let fields = line.split(separator: "|")
      found[String(fields[0])] = (Int(fields[1]) ?? -1, fields[2] == "t")
    }
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
