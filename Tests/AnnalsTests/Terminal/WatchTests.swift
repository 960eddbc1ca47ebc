import FoundationEssentials
import TestSupport
import Testing

/// `--watch`: the same again and again.
@Suite struct WatchTests {
  /// Ends when the output has the expected number of lines of a kind; then a signal ends annals.
  private static let functions = """
    set -e
    PATH=${ANNALS%/*}:$PATH
    folder=$(mktemp -d)
    : > "$folder/out"
    trap 'rm -rf "$folder"' EXIT
    await() { until test "$(grep -c "$1" "$folder/out" || :)" -ge "$2"; do sleep 0.05; done; }
    begin() { "$@" > "$folder/out" 2> "$folder/err" & watched=$!; }
    finish() {
      kill -TERM $watched
      status=0
      wait $watched || status=$?
      cat "$folder/out"
      cat "$folder/err" >&2
      exit $status
    }

    """

  private func run(_ script: String, prepared: String = "") async throws -> ProgramRun {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      #expect(
        try await db.annals("rebuild-projection", SourceTree.path("Examples/orders/orders.sql")).exitCode == 0
      )
      return try await runShell(
        Self.functions + script,
        environment: db.environment.merging(["ANNALS": "\(AnnalsBinary.path)"]) { $1 }
      )
    }
  }

  @Test func roundsAreOneTable() async throws {
    let run = try await run(
      """
      begin annals projections --watch 100ms -o csv --fields name,state
      await ^orders, 3
      finish
      """
    )
    let lines = run.standardOutput.replacing("\r\n", with: "\n").split(separator: "\n")
    #expect(lines.first == "name,state" && lines.count >= 4 && run.exitCode == 143)
    #expect(
      lines.dropFirst().allSatisfy { $0 == "orders,live" } && run.standardError == "Terminated\n",
      "\(run)"
    )
  }

  @Test func roundsAreOneArray() async throws {
    let run = try await run(
      """
      begin annals projections orders --watch -o json
      await '"orders"' 2
      finish
      """
    )
    let names = try JSONDecoder().decode([[String: Value]].self, from: Data(run.standardOutput.utf8))
    #expect(names.count >= 2 && run.exitCode == 143)
  }

  /// Whatever a value is.
  private struct Value: Decodable {
    init(from decoder: any Decoder) {}
  }

  /// A session that ends between two rounds is replaced.
  @Test func aLostConnectionEndsNothing() async throws {
    let run = try await run(
      """
      begin annals projections --watch 100ms -o ndjson
      await '"orders"' 1
      psql -qAtXc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'annals'" > /dev/null
      seen=$(grep -c '"orders"' "$folder/out")
      await '"orders"' $((seen + 2))
      finish
      """
    )
    #expect(run.exitCode == 143, "\(run)")
  }

  @Test func theAnswerToAMonitor() async throws {
    let run = try await run(
      """
      begin annals check --watch 100ms --max-dead-letters 0
      await '^ANNALS OK' 2
      finish
      """
    )
    #expect(run.exitCode == 143 && run.standardOutput.hasPrefix("ANNALS OK - "))
  }

  /// On a terminal each round begins in its first line, and has no more lines than that.
  @Test func onATerminalItIsDrawnInPlace() async throws {
    let run = try await run(
      #"""
      begin script -qec 'stty rows 4; TERM=xterm annals projections --watch 100ms' /dev/null < /dev/null
      await 'every ' 2
      finish
      """#
    )
    #expect(run.standardOutput.contains("\u{1B}[Hevery 0 s, now "), "\(run)")
    #expect(run.standardOutput.contains("(2 more lines)\u{1B}[K"), "\(run)")
  }

  @Test(arguments: [
    (["projections", "--watch", "0"], "--watch must be more than 0"),
    (["check", "--watch=soon"], "'soon' is no duration for --watch"),
  ])
  func whatIsRefused(arguments: [String], message: String) async throws {
    let run = try await AnnalsBinary.run(arguments, environment: ["PGHOST": "/none"])
    #expect(run.exitCode == 64 && run.standardError.contains(message), "\(run.standardError)")
  }
}
