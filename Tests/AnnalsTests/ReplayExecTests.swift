import TestSupport
import Testing

@Suite struct ReplayExecTests {
  /// Answers each event's position; fails at the event whose payload is the word "poison", unless $MENDED is set.
  private static let handler = """
    while read -r line; do case $line in *poison*) [ "$MENDED" ] || exit 3;; esac; \
    position=${line#*:}; echo ${position%%,*}; done
    """

  @Test func aFailingCommandStopsAtItsEvent() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a', 't', CASE n WHEN 700 THEN '"poison"' ELSE to_jsonb(repeat('x', 400)) END, n
        FROM generate_series(1, 1000) n
        """
      )
      let arguments = ["replay", "--checkpoint", "mail", "--retries", "1", "--exec"]
      var run = try await annals(arguments + [Self.handler])
      #expect(run.exitCode == 1)
      #expect(run.standardError.contains("trying again in 1 s (1 of 1)"))
      #expect(run.standardError.contains("DETAIL:  It was done with the events before position 700."))
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "699")

      run = try await annals(arguments + ["MENDED=1; " + Self.handler])
      #expect(run.exitCode == 0, "\(run.standardError)")
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "1000")
    }
  }

  @Test(arguments: [
    ("sleep 100", "did not answer within 0.5 seconds"),
    ("echo done; cat >/dev/null", "answered 'done', not the position"),
    ("echo 4; cat >/dev/null", "answered '4', not the position"),
    ("head -n 1 >/dev/null", "ended with status 0 before it had answered"),
    ("cat >/dev/null; echo 3; exit 9", "did not answer"),
    ("no-such-command-here", "ended with status 127"),
    ("head -n 3 >/dev/null; echo 3; exit 9", "ended with status 9"),
  ])
  func whatACommandCanDoWrong(command: String, message: String) async throws {
    try await withEvents { db, annals in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) "
          + "SELECT 'a', 't', '{}', n FROM generate_series(1, 3) n"
      )
      let run = try await annals(["replay", "--retries", "0", "--timeout", "0.5", "--exec", command])
      #expect(run.exitCode == 1)
      #expect(run.standardError.contains("annals: error: the command \(message)"), "\(run.standardError)")
    }
  }
}
