import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

/// The examples of annals-verify-versions(1) for every night, run as they are in the page.
@Suite struct NightlyCheckTests {
  @Test func theScriptPrintsNothingUntilSomethingIsWrong() async throws {
    let script = try Self.example("#!/bin/sh")
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 4)
      try await withTemporaryDirectory { directory in
        var environment = db.environment
        environment["ANNALS_MANIFESTS"] = directory
        let night = "PATH='\(Self.folder):'$PATH\n\(script)"
        for _ in 1...2 {
          let run = try await runShell(night, environment: environment)
          #expect(run.exitCode == 0)
          #expect(run.standardOutput + run.standardError == "")
          try await db.psql(
            "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-1', 'T', '{}', 5)"
              + " ON CONFLICT DO NOTHING"
          )
        }
        try await db.psql("UPDATE events SET event_data = '{}' WHERE aggregate_id = 's-2' AND version = 2")
        for _ in 1...2 {
          let run = try await runShell(night, environment: environment)
          #expect(run.exitCode == 2)
          #expect(run.standardError == "")
          #expect(run.standardOutput.contains("event_changed"))
          #expect(run.standardOutput.contains("The last good manifest stays in"))
          #expect(run.standardOutput.split(separator: "\n").count == 3)
        }
        // What cannot be checked is not clean either.
        environment["PGHOST"] = directory
        let run = try await runShell(night, environment: environment)
        #expect(run.exitCode == 69)
        #expect(run.standardError.hasPrefix("annals: error: "))
      }
    }
  }

  /// cron(8) passes on nothing but HOME, LOGNAME, SHELL and what the crontab sets; crontab(5).
  @Test func theCrontabFindsTheProgramAndMailsFaultsAlone() async throws {
    let lines = try Self.example("MAILTO=").split(separator: "\n")
    let settings = lines.filter { !$0.contains(" ") }
    let job = try #require(lines.last).split(separator: " ", maxSplits: 5)[5]
    #expect(settings.contains { $0.hasPrefix("PATH=/usr/local/bin:") }, "make install puts it there")
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 4)
      let server = db.environment.map { "\($0)='\($1)'" }.joined(separator: " ")
      let night =
        "env -i HOME=/ LOGNAME=annals SHELL=/bin/sh \(settings.joined(separator: " ")) \(server) sh -c '\(job)'"
        .replacing("/usr/local/bin", with: Self.folder).replacing(" -d shop", with: " -d \(db.name)")
      // A warning alone is no reason for a mail.
      try await db.psql("UPDATE events SET \"timestamp\" = '2019-01-01' WHERE version = 2")
      let clean = try await runShell(night)
      #expect(clean.exitCode == 0)
      #expect(clean.standardOutput + clean.standardError == "")
      try await db.psql("DELETE FROM events WHERE version = 3")
      let broken = try await runShell(night)
      #expect(broken.exitCode == 2)
      #expect(broken.standardError == "")
      let report = broken.standardOutput.split(separator: "\n")
      #expect(report.count == 4 && report[0].hasPrefix("KIND") && report[1].hasPrefix("gap "), "\(report)")
      #expect(report.dropFirst().allSatisfy { $0.contains("version 3 is missing: 2 is followed by 4") })
    }
  }

  @Test func theServiceWritesItsMetricsInOneStep() async throws {
    let service = try Self.example("[Service]").split(separator: "\n")
    let values = { (name: String) in
      service.filter { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }
    #expect(values("WorkingDirectory") == ["/var/lib/node_exporter"])
    #expect(values("Environment") == ["PGDATABASE=shop"])
    let command = try #require(values("ExecStart").first)
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 4)
      try await withTemporaryDirectory { directory in
        let night = "cd \(directory); PATH='\(Self.folder):'$PATH; \(command)"
        let file = directory + "/annals.prom"
        #expect(try await runShell(night, environment: db.environment).exitCode == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("kind=\"gap\"} 0\n"))
        try await db.psql("DELETE FROM events WHERE version = 3")
        // It appears only at the end of the check, and until then it has another name than *.prom.
        async let locking = db.psql(
          "BEGIN; LOCK TABLE events; DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            + " AND relation = 'events'::regclass) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;"
            + " SELECT pg_sleep(600)"
        )
        let holders = "FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'events'::regclass"
        try await until { try await db.psql("SELECT count(*) \(holders)") != "0" }
        async let checking = runShell(night, environment: db.environment)
        while try await db.psql(
          "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass"
        ) == "0" {}
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("kind=\"gap\"} 0\n"))
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".prom") }
            == ["annals.prom"]
        )
        try await db.psql("SELECT pg_terminate_backend(pid) \(holders)")
        _ = try? await locking
        #expect(try await checking.exitCode == 2)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("kind=\"gap\"} 3\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["annals.prom"])
      }
    }
  }

  private static let folder = "\(AnnalsBinary.path.removingLastComponent())"

  /// The literal text in the manual page that begins so.
  private static func example(_ beginning: String) throws -> Substring {
    let text = try SourceTree.read("man/annals-verify-versions.1")
    let examples = text.split(separator: ".Bd -literal").dropFirst().compactMap { block in
      block.drop { $0 != "\n" }.dropFirst().split(separator: ".Ed\n", maxSplits: 1).first
    }
    return try #require(examples.first { $0.hasPrefix(beginning) })
  }
}
