import FoundationEssentials
import TestSupport
import Testing

/// A command that runs in several processes, each with streams of its own.
@Suite struct ReplayWorkersTests {
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 's-' || n % 20, 't', CASE n WHEN 700 THEN '"poison"' ELSE to_jsonb(n) END, (n - 1) / 20 + 1
    FROM generate_series(1, 2000) n;
    """

  /// Notes when it begins and ends with an event: process, stream and position. Fails at the poison, unless $MENDED is set.
  private static let handler = """
    while read -r line; do case $line in *poison*) [ "$MENDED" ] || exit 3;; esac; \
    position=${line#*:}; position=${position%%,*}; stream=${line#*aggregate_id\\":\\"}; stream=${stream%%\\"*}; \
    echo "begin $$ $stream $position" >>"$DONE"; echo "end $$ $stream $position" >>"$DONE"; echo "$position"; done
    """

  private struct Note {
    let isBegin: Bool
    let process: Substring
    let stream: Substring
    let position: Int
  }

  private func withWorkers(
    _ body: (
      _ db: TestDatabase, _ run: ([String], String) async throws -> ProgramRun, _ notes: () throws -> [Note]
    )
      async throws -> Void
  ) async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      try await withTemporaryDirectory { directory in
        let file = "\(directory)/done"
        let run = { (options: [String], handler: String) in
          try await AnnalsBinary.run(
            ["replay", "--checkpoint", "mail", "--workers", "4"] + options + ["--exec", handler],
            environment: db.environment.merging(["DONE": file]) { $1 }
          )
        }
        try await body(db, run) {
          try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            return Note(
              isBegin: words[0] == "begin",
              process: words[1],
              stream: words[2],
              position: Int(words[3]) ?? 0
            )
          }
        }
      }
    }
  }

  @Test func aStreamIsInOneProcessAtATimeAndInOrder() async throws {
    try await withWorkers { db, run, notes in
      // On a busy machine, one that starts late would find nothing left: the first wait for the others.
      let wait =
        #"touch "$DONE.$$"; n=0; while [ $(ls "$DONE".* | wc -l) -lt 4 ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done; "#
      let end = try await run([], wait + "MENDED=1; " + Self.handler)
      #expect(end.exitCode == 0, "\(end.standardError)")
      let notes = try notes()
      #expect(Set(notes.map(\.process)).count == 4)
      #expect(Set(notes.map(\.position)) == Set(1...2000) && notes.count == 4000)
      for (_, ofStream) in Dictionary(grouping: notes, by: \.stream) {
        // The end of an event comes before the beginning of the next one, which has a higher position.
        #expect(ofStream.enumerated().allSatisfy { $0.element.isBegin == $0.offset.isMultiple(of: 2) })
        let positions = ofStream.filter(\.isBegin).map(\.position)
        #expect(positions == positions.sorted() && positions.count == 100)
      }
      let checkpoint = try await db.psql(
        "SELECT position, done_ahead IS NULL, seen_events FROM annals.checkpoints"
      )
      #expect(checkpoint == "2000|t|2000")
    }
  }

  /// What the others have done behind the event that failed is not passed on again.
  @Test func aRestartPassesOnWhatWasNotFinished() async throws {
    try await withWorkers { db, run, notes in
      var end = try await run(["--retries", "0"], Self.handler)
      #expect(end.exitCode == 1)
      let stop = "DETAIL:  It had processed the events before position 700."
      #expect(end.standardError.contains(stop), "\(end.standardError)")
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "699")
      let ahead = try await db.psql(
        "SELECT cardinality(done_ahead), 700 = ANY (done_ahead) FROM annals.checkpoints"
      )
      let before = try notes()
      #expect(ahead == "\(Set(before.map(\.position)).count - 699)|f" && !ahead.hasPrefix("0"))
      end = try await run([], "MENDED=1; " + Self.handler)
      #expect(end.exitCode == 0, "\(end.standardError)")
      let positions = try notes().filter(\.isBegin).map(\.position)
      #expect(positions.count == 2000 && Set(positions).count == 2000)
      #expect(try await db.psql("SELECT position, done_ahead IS NULL FROM annals.checkpoints") == "2000|t")
    }
  }

  /// A killed replay leaves no event out, and passes on again what was done within the last second at most.
  @Test func aKilledReplayLeavesNothingOut() async throws {
    try await withWorkers { db, run, notes in
      let killing = Self.handler.replacing(
        "echo \"begin",
        with: "case $position in 300|900|1500) if ! [ -e \"$DONE$position\" ]; then "
          + ": >\"$DONE$position\"; sleep 2; kill -9 $PPID; exit; fi;; esac; echo \"begin"
      )
      for _ in 1...3 {
        let end = try await run(["--park", "--retries", "0"], killing)
        #expect(end.exitCode == nil, "\(end.standardError)")
      }
      let end = try await run(["--park", "--retries", "0"], Self.handler)
      #expect([0, 5].contains(end.exitCode), "\(end.standardError)")
      let begun = try notes().filter(\.isBegin).map(\.position)
      #expect(Set(begun) == Set(1...2000).subtracting([700]) && begun.count < 2100)
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "2000")
      #expect(try await db.psql("SELECT position FROM annals.parked_events") == "700")
    }
  }

  @Test func workersNeedACommand() async throws {
    for arguments in [
      ["--workers", "2"], ["--workers", "0", "--exec", "cat"], ["--workers", "101", "--exec", "cat"],
    ] {
      let run = try await AnnalsBinary.run(["replay"] + arguments)
      #expect(run.exitCode == 64 && run.standardError.contains("--workers"))
    }
  }
}
