import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

/// What annals-report(1) shows under SCHEDULES, run as cron and systemd run it.
@Suite struct ReportScheduleTests {
  private static let page = "man/annals-report.1"

  /// The lines of a block of SCHEDULES that has such a line.
  private static func block(with start: String) throws -> [String] {
    let section = try #require(SourceTree.read(page).split(separator: "\n.Sh SCHEDULES\n").last)
    let blocks = section.split(separator: ".Bd -literal -offset indent\n").dropFirst().map { block in
      block.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0 != ".Ed" }
    }
    return try #require(blocks.first { $0.contains { $0.hasPrefix(start) } }).map(String.init)
  }

  /// The variables and the command of a crontab(5).
  private static func crontab() throws -> (variables: [String: String], command: String) {
    var (variables, command) = ([String: String](), "")
    for line in try block(with: "0 4 ") {
      if let entry = line.wholeMatch(of: /([A-Z]+)=(.*)/) {
        variables[String(entry.1)] = String(entry.2)
      } else {
        let words = line.split(separator: " ", maxSplits: 5)
        // Monday, 4 o'clock. A % would be the end of the line.
        #expect(words[..<5].elementsEqual(["0", "4", "*", "*", "1"]) && !line.contains("%"))
        command = String(words[5])
      }
    }
    return (variables, command)
  }

  /// The variables and the command of a systemd.service(5).
  private static func service() throws -> (variables: [String: String], command: String) {
    var (variables, command) = ([String: String](), "")
    for line in try block(with: "[Service]").dropFirst() {
      let sides = line.split(separator: "=", maxSplits: 1).map(String.init)
      switch sides[0] {
      case "Type": #expect(sides[1] == "oneshot")
      case "Environment":
        let variable = sides[1].split(separator: "=", maxSplits: 1).map(String.init)
        variables[variable[0]] = variable[1]
      case "ExecStart": command = sides[1]
      default: Issue.record("\(line)")
      }
    }
    return (variables, command)
  }

  /// Runs a command of the page in folders of the test, with the variables that the page sets; the database and the
  /// place of the program are the test's.
  private func run(
    _ schedule: (variables: [String: String], command: String),
    in folder: String,
    _ database: TestDatabase
  ) async throws -> ProgramRun {
    #expect(schedule.variables["PGDATABASE"] == "shop")
    var variables = schedule.variables.merging(database.environment) { $1 }
    let program = AnnalsBinary.path.removingLastComponent().string
    let found = schedule.variables["PATH"] ?? ""
    variables["PATH"] = "\(program):\(found.isEmpty ? "/usr/bin:/bin" : found)"
    variables["HOME"] = folder
    for name in ["/srv/", "/var/lib/annals/"] { #expect(schedule.command.contains(name)) }
    let command = schedule.command.replacing("/srv/", with: "\(folder)/")
      .replacing("/var/lib/annals/", with: "\(folder)/")
    return try await runShell(command, environment: variables)
  }

  @Test(arguments: ["cron", "systemd"]) func whatTheManualShows(by scheduler: String) async throws {
    let schedule = try scheduler == "cron" ? Self.crontab() : Self.service()
    try await TestCluster.withDatabase(isInitialized: true) { database in
      let folder = "/tmp/annals-test-\(database.name)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try await database.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'order-1', 'Added', '{}', n FROM generate_series(1, 3) AS n
        """
      )
      var run = try await run(schedule, in: folder, database)
      #expect(run.exitCode == 0 && run.standardOutput + run.standardError == "", "\(run.standardError)")
      try await database.psql("DELETE FROM events WHERE version = 2")
      run = try await self.run(schedule, in: folder, database)
      #expect(run.exitCode == 2 && run.standardError == "", "\(run.standardError)")
      // cron mails what is printed; the journal of systemd has the status.
      #expect(
        run.standardOutput.contains("✖ PROBLEM  versions: 1 error") == (scheduler == "cron"),
        "\(run.standardOutput)"
      )
      let page = try String(contentsOfFile: "\(folder)/shop.html", encoding: .utf8)
      let history = try String(contentsOfFile: "\(folder)/shop.ndjson", encoding: .utf8)
      #expect(page.contains("✖ PROBLEM") && history.split(separator: "\n").count == 2)
    }
  }

  @Test func theTimerIsTheSameTime() throws {
    let timer = try Self.block(with: "[Timer]")
    #expect(timer.contains("OnCalendar=Mon 04:00") && timer.contains("WantedBy=timers.target"))
  }
}
