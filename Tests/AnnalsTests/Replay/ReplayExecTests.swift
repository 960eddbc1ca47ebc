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
      #expect(run.standardError.contains("DETAIL:  It had processed the events before position 700."))
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "699")

      run = try await annals(arguments + ["MENDED=1; " + Self.handler])
      #expect(run.exitCode == 0, "\(run.standardError)")
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "1000")
    }
  }

  /// A command may take longer than a role may be idle.
  @Test func aLimitForIdleSessionsDoesNotHold() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        ALTER DATABASE \(db.name) SET idle_session_timeout = '300ms';
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 't', '1', 1), ('a', 't', '2', 2)
        """
      )
      let slow = "sleep 1; \(Self.handler)"
      let run = try await annals(["replay", "--checkpoint", "mail", "--retry-timeout", "0", "--exec", slow])
      #expect(run.exitCode == 0, "\(run.standardError)")
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "2")
    }
  }

  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a', 't', CASE WHEN n IN (3, 700, 701) THEN '"poison"' ELSE to_jsonb(n) END, n FROM generate_series(1, 1000) n;
    """

  /// The same, which notes what it has done.
  private static let notingHandler = handler.replacing(
    "position=${",
    with: "echo \"$line\" >>\"$DONE\"; position=${"
  )

  @Test func parkedEventsAreSetAside() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let arguments = [
        "replay", "--checkpoint", "mail", "--park", "--retries", "0", "--timeout", "20", "--exec",
      ]
      var run = try await annals(arguments + [Self.handler])
      #expect(run.exitCode == 5, "\(run.standardError)")
      let note = "annals: dead letter: the event at position 701: the command ended with status 3"
      #expect(run.standardError.contains(note), "\(run.standardError)")
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "1000")
      let parked =
        "SELECT position, aggregate_id, version, event_type, attempts, state FROM annals.parked_events ORDER BY 1"
      #expect(try await db.psql(parked) == "3|a|3|t|1|parked\n700|a|700|t|1|parked\n701|a|701|t|1|parked")

      run = try await annals(["dead-letters", "list", "mail", "-o", "csv"])
      #expect(run.exitCode == 2)
      #expect(run.standardOutput.contains("\r\n,mail,3,a,3,t,parked,1,"))
      run = try await annals(["dead-letters", "show", "mail", "700"])
      #expect(run.standardOutput.contains("message       the command ended with status 3 before"))
      let check = try await annals(["check"])
      #expect(check.exitCode == 2 && check.standardOutput.contains("mail has 3 dead letters"))

      run = try await annals(["dead-letters", "retry", "mail", "--exec", Self.handler])
      #expect(run.exitCode == 5)
      #expect(
        run.standardError.contains("the event at position 3 failed again: the command ended with status 3")
      )
      run = try await annals(["dead-letters", "retry", "mail", "700", "--exec", "MENDED=1; " + Self.handler])
      #expect(run.exitCode == 0 && run.standardError == "")
      run = try await annals(["dead-letters", "retry", "mail"])
      #expect(run.exitCode == 65 && run.standardError.contains("--exec"))
      run = try await annals(["dead-letters", "discard", "mail", "--yes"])
      #expect(run.exitCode == 0)
      #expect(try await db.psql(parked).hasPrefix("3|a|3|t|2|discarded\n700|a|700|t|3|applied\n701|"))
      #expect(try await annals(["dead-letters", "list"]).exitCode == 0)
      #expect(
        try await annals(["dead-letters", "list", "--all", "-o", "csv"]).standardOutput.contains("applied")
      )
      let audit = "SELECT action FROM annals.audit WHERE subject = 'checkpoint mail' ORDER BY id"
      #expect(try await db.psql(audit) == "retry\ndiscard")
    }
  }

  /// A command gets the events one by one where it failed, until the bad one is known.
  @Test func poisonIsFoundAmongMany() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      try await withTemporaryDirectory { directory in
        let run = try await AnnalsBinary.run(
          [
            "replay", "--checkpoint", "mail", "--park", "--retries", "1", "--exec",
            Self.notingHandler, "--limit", "1000",
          ],
          environment: db.environment.merging(["DONE": "\(directory)/done"]) { $1 }
        )
        #expect(run.exitCode == 5, "\(run.standardError)")
        #expect(run.standardError.contains("passing its events one by one"), "\(run.standardError)")
        let attempts = try await db.psql("SELECT position, attempts FROM annals.parked_events ORDER BY 1")
        #expect(attempts == "3|2\n700|2\n701|2")
        let done = try await runShell("cut -d, -f1 '\(directory)/done' | sort -u | wc -l")
        #expect(done.standardOutput == "997\n", "all the others were handled")
      }
    }
  }

  /// A fault of the command, and not of an event, parks no event.
  @Test(arguments: ["no-such-command-here", "echo done; cat >/dev/null"])
  func aWrongCommandParksNothing(command: String) async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let run = try await annals(
        ["replay", "--checkpoint", "mail", "--park", "--retries", "0", "--exec", command]
      )
      #expect(run.exitCode == 1)
      #expect(try await db.psql("SELECT count(*) FROM annals.parked_events") == "0")
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "0")
    }
  }

  @Test func deadLettersHaveOneOwner() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        Self.fill + "INSERT INTO annals.projections VALUES ('mail', 'public.events', 'public')"
      )
      var run = try await annals(["replay", "--checkpoint", "mail", "--park", "--exec", Self.handler])
      #expect(run.exitCode == 1 && run.standardError.contains("is the name of a projection"))
      run = try await annals(["replay", "--park", "--exec", "cat"])
      #expect(run.exitCode == 64)
      run = try await annals(["dead-letters", "retry", "nobody", "--exec", "cat"])
      #expect(run.exitCode == 4)
      run = try await annals(["dead-letters", "retry", "mail", "--exec", "cat"])
      #expect(run.exitCode == 4)
    }
  }

  /// Several events at one position, as in a damaged store, are each answered.
  @Test func eventsAtOnePositionAreAllHandled() async throws {
    try await withEvents { db, _ in
      try await db.psql(
        """
        ALTER TABLE events DROP CONSTRAINT events_position_key;
        INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE
        SELECT 'a', 't', '{}', n, n / 3 + 1 FROM generate_series(1, 600) n;
        SELECT setval('events_position_seq', 201);
        """
      )
      try await withTemporaryDirectory { directory in
        let run = try await AnnalsBinary.run(
          ["replay", "--checkpoint", "mail", "--exec", Self.notingHandler],
          environment: db.environment.merging(["DONE": "\(directory)/done"]) { $1 }
        )
        #expect(run.exitCode == 0, "\(run.standardError)")
        let done = try await runShell("wc -l <'\(directory)/done'; sort -u '\(directory)/done' | wc -l")
        #expect(done.standardOutput == "600\n600\n")
      }
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
