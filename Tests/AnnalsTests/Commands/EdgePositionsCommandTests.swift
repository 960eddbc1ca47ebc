import TestSupport
import Testing

/// Whatever numbers and times a store holds, a command reads them or says what is wrong: no signal ends it.
@Suite struct EdgePositionsCommandTests {
  private static let positions = ["-9223372036854775807", "-1", "0", "1", "9223372036854775807"]

  @Test(arguments: ["-9223372036854775808", nil])
  func noCommandTraps(lowest: String?) async throws {
    try await TestCluster.withDatabase { db in
      try await db.fill(([lowest].compactMap(\.self) + Self.positions).map { ($0, "now()") })
      for command in Self.commands {
        let run = try await db.command(command)
        #expect(run.exitCode != nil, "\(command) ended by \(run.status): \(run.standardError)")
        // What cannot be done says why.
        if run.exitCode == 78 { #expect(run.standardError.contains("the lowest number that there is")) }
        #expect(
          [0, 2, lowest == nil ? 0 : 78, lowest == nil ? 0 : 4].contains(run.exitCode),
          "\(command): \(run.standardError)"
        )
        #expect(lowest != nil || run.exitCode != 78)
      }
      try await db.removeFiles()
      guard lowest == nil else { return }
      #expect(
        try await db.psql("SELECT count(*), min(n), max(n) FROM p")
          == "5|\(Self.positions[0])|\(Self.positions[4])"
      )
      #expect(try await db.psql("SELECT count(*) FROM copy") == "5")
    }
  }

  @Test func noTimeTraps() async throws {
    try await TestCluster.withDatabase { db in
      let times = [
        "'-infinity'", "'4714-11-24 00:00:00+00 BC'", "'294276-12-31 23:59:59.999999+00'", "'infinity'",
      ]
      try await db.fill(times.enumerated().map { ("\($0 + 1)", $1) })
      for command in Self.commands + [["check", "--max-age", "1h"], ["check", "--max-lag", "1s"]] {
        let run = try await db.command(command)
        #expect([0, 2].contains(run.exitCode), "\(command): \(run.status) \(run.standardError)")
      }
      try await db.removeFiles()
    }
  }

  /// An answer below 0 is valid, and unanswered events come again.
  @Test func aHandlerAnswersForPositionsBelowZero() async throws {
    try await TestCluster.withDatabase { db in
      try await db.fill(Self.positions.map { ($0, "now()") })
      let answer = #"while read -r line; do p=${line#*:}; echo "${p%%,*}"; echo "${p%%,*}" >> "$0"; done"#
      let seen = "/tmp/annals-handler-\(db.name)"
      let run = try await db.command(["replay", "--checkpoint", "c", "--exec", "sh -c '\(answer)' \(seen)"])
      #expect(run.exitCode == 0, "\(run.standardError)")
      try await db.removeFiles()
      let lines = try await runShell("cat \(seen); rm -f \(seen)").standardOutput
      #expect(lines.split(separator: "\n").map(String.init) == Self.positions)
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == Self.positions[4])
    }
  }

  private static let commands: [[String]] = [
    ["stream"], ["stream", "--last", "2"], ["stream", "a"], ["replay"], ["replay", "-n"],
    ["replay", "--from-position=-9223372036854775808", "--to-position", "9223372036854775807"],
    ["replay", "--checkpoint", "c", "-n"], ["replay", "--checkpoint", "c"], ["replay", "--checkpoint", "c"],
    ["types"], ["types", "--sample", "1"], ["types", "--sample", "2"],
    ["types", "show", "Added", "--sample", "2"],
    ["verify-versions"], ["verify-versions", "--explain"], ["verify-versions", "--incremental"],
    ["watermark"],
    ["check"], ["check", "--format", "prometheus"], ["doctor"], ["rebuild-projection", "-n", "P"],
    ["rebuild-projection", "P"], ["project", "--once", "P"], ["projections"],
    ["evolve", "check", "U"], ["evolve", "check", "U", "--sample", "2"],
    ["evolve", "plan", "U", "--out", "PLAN"],
    ["evolve", "apply", "PLAN", "--into", "public.copy"], ["snapshot", "show", "a"],
  ]
}

extension TestDatabase {
  private static let projection = """
    -- @projection p
    -- @create
    CREATE TABLE p (n bigint);
    -- @on *
    INSERT INTO p VALUES (event.position);
    """
  private static let upcaster = """
    -- @upcaster u
    -- @event Added
    -- @when NOT event.event_data ? 'm'
    -- @data
    SELECT event.event_data || '{"m": 1}';
    """

  /// An initialized store with a stream of events at these positions and times.
  fileprivate func fill(_ events: [(position: String, time: String)]) async throws {
    _ = try await command(["init"])
    let rows = events.enumerated().map { "('a', 'Added', '{}', \($0 + 1), \($1.position), \($1.time))" }
    try await psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version, position, timestamp) OVERRIDING SYSTEM VALUE
      VALUES \(rows.joined(separator: ", "));
      SELECT setval('events_position_seq', greatest(max(position), 1)) FROM events
      """
    )
  }

  /// Runs a command in which P, U and PLAN are replaced by files.
  fileprivate func command(_ arguments: [String]) async throws -> ProgramRun {
    let files = ["P": Self.projection, "U": Self.upcaster, "PLAN": ""]
    let folder = "/tmp/annals-edge-\(name)"
    _ = try await runShell(
      "mkdir -p \(folder); printf '%s' \"$P\" > \(folder)/P; printf '%s' \"$U\" > \(folder)/U",
      environment: files
    )
    let arguments = arguments.map { files[$0] == nil ? $0 : "\(folder)/\($0)" }
    return try await AnnalsBinary.run(arguments, environment: environment)
  }

  /// Removes those files.
  fileprivate func removeFiles() async throws { _ = try await runShell("rm -rf /tmp/annals-edge-\(name)") }
}
