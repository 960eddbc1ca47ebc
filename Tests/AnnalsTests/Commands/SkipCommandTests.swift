import TestSupport
import Testing

/// `dead-letters skip`, and who shows what is skipped.
@Suite struct SkipCommandTests {
  private static let id = "00000000-0000-0000-0000-000000000002"

  private func withSkipped(_ body: (TestDatabase, RunAnnals) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let annals: RunAnnals = { try await AnnalsBinary.run($0, environment: db.environment) }
      #expect(try await annals(["init"]).exitCode == 0)
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, id)
        SELECT 'a', 'Added', '{}', v, ('00000000-0000-0000-0000-00000000000' || v)::uuid FROM generate_series(1, 3) v
        """
      )
      let run = try await annals(["dead-letters", "skip", Self.id, "--reason", "sent twice"])
      #expect(run.exitCode == 0 && run.standardOutput + run.standardError == "", "\(run.standardError)")
      try await body(db, annals)
    }
  }

  @Test func replaysLeaveItOutAndOthersShowIt() async throws {
    try await withSkipped { db, annals in
      func versions(_ arguments: String...) async throws -> [String] {
        let run = try await annals(arguments)
        #expect(run.exitCode == 0 && run.standardError == "", "\(run.standardError)")
        return run.standardOutput.split(separator: "\n").map {
          String($0.firstMatch(of: /"version":(\d)/)?.output.1 ?? "?")
        }
      }
      #expect(try await versions("replay") == ["1", "3"])
      #expect(try await versions("replay", "--checkpoint", "mail") == ["1", "3"])
      #expect(try await versions("stream", "a", "-o", "ndjson") == ["1", "2", "3"])
      let list = [
        "dead-letters", "skipped", "--fields", "position,aggregate_id,version,id,reason", "-o", "csv",
      ]
      #expect(
        try await annals(list).standardOutput.replacing("\r\n", with: "\n")
          == "position,aggregate_id,version,id,reason\n2,a,2,\(Self.id),sent twice\n"
      )
      let mark = /skipped by \w+ at [-0-9: .TZ+]+: sent twice/
      for arguments in [["stream"], ["stream", "a"]] {
        let lines = try await annals(arguments).standardOutput.split(separator: "\n")
        let marked = lines.indices.filter { lines[$0].contains(mark) }
        #expect(marked.count == 1 && lines[(marked.first ?? 1) - 1].contains("Added"), "\(lines)")
      }
      var run = try await annals(["verify-versions", "-o", "json"])
      #expect(run.exitCode == 0 && run.standardOutput.contains(#""status":"clean""#), "\(run.standardOutput)")
      #expect(run.standardOutput.contains(#""event_skipped":1"#))
      run = try await annals(["verify-versions", "--strict"])
      #expect(run.exitCode == 0 && run.standardOutput + run.standardError == "")

      // Who may not read the list is told that it is not obeyed.
      let role = "reader_\(db.name)"
      try await db.psql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role)")
      run = try await AnnalsBinary.run(
        ["replay"],
        environment: db.environment.merging(["PGUSER": role]) { $1 }
      )
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
      #expect(run.exitCode == 0 && run.standardOutput.split(separator: "\n").count == 3)
      #expect(
        run.standardError == "annals: the role may not read annals.skipped_events, so no event is left out\n"
      )
    }
  }

  @Test func itIsTakenBack() async throws {
    try await withSkipped { _, annals in
      #expect(try await annals(["dead-letters", "skip", "2", "--reason", "again"]).exitCode == 0)
      #expect(
        try await annals(["dead-letters", "skip", "--undo", "2", "--reason", "a mistake"]).exitCode == 0
      )
      #expect(try await annals(["replay"]).standardOutput.split(separator: "\n").count == 3)
      let run = try await annals(["dead-letters", "skip", "--undo", Self.id])
      #expect(run.exitCode == 4)
      #expect(
        run.standardError.hasSuffix("HINT:  List the events that are: 'annals dead-letters skipped'.\n")
      )
      for wrong in [["2"], ["two", "--reason", "x"], ["2", "--reason", ""]] {
        #expect(try await annals(["dead-letters", "skip"] + wrong).exitCode == 64)
      }
      #expect(try await annals(["dead-letters", "skip", "4", "--reason", "x"]).exitCode == 4)
      let audit = try await annals([
        "audit", "--action", "skip", "--action", "unskip", "--fields", "action,reason",
      ])
      #expect(audit.standardOutput == "ACTION  REASON\nskip    sent twice\nunskip  a mistake\n")
    }
  }
}
