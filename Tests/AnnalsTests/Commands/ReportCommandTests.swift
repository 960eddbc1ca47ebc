import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// `report` as it is run.
@Suite struct ReportCommandTests {
  private static let now = ["--now", "2026-03-01T00:00:00Z"]

  /// 60 events of three types in five streams, one event a day.
  private static let events = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT 'order-' || n % 5, (ARRAY['Submitted', 'Paid', 'Shipped'])[1 + n % 3], jsonb_build_object('n', n), 1 + n / 5,
           timestamptz '2025-12-31T10:00:00Z' + n * interval '1 day'
    FROM generate_series(0, 59) AS n
    """

  @Test func isTheSameTwiceAndAsRecorded() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.events)
      let text = try await annals(["report"] + Self.now)
      // What follows depends on the server's version and settings.
      let lines = text.standardOutput.split(separator: "\n", omittingEmptySubsequences: false)
      let stable = lines.filter { !$0.contains("setup: ") }.prefix { !$0.hasPrefix("7 SIZE") }
        .joined(separator: "\n")
      if let difference = try SourceTree.difference(of: stable + "\n", from: "\(Self.folder)/report.txt") {
        Issue.record("\(difference)")
      }
      let page = try await annals(["report", "--html", "-"] + Self.now)
      #expect(try await annals(["report", "--html", "-"] + Self.now).standardOutput == page.standardOutput)
      let days = try #require(page.standardOutput.components(between: "<h2>2 ", and: "<h2>7 "))
      if let difference = try SourceTree.difference(of: days + "\n", from: "\(Self.folder)/report.html") {
        Issue.record("\(difference)")
      }
      for part in [
        "<h2>1 Verdict</h2>", "<h2>2 Events a day</h2>", "<h2>3 Hours of the week</h2>",
        "<h2>4 Event types</h2>",
        "<h2>5 Payload bytes</h2>", "<h2>6 Streams</h2>", "<h2>7 Size</h2>", "<h2>8 Readers</h2>",
        "<h2>9 Dead letters</h2>", "<h2>10 Integrity</h2>", "default-src &#39;none&#39;",
      ] { #expect(page.standardOutput.contains(part)) }
      #expect(!page.standardOutput.contains("<script") && !page.standardOutput.contains("style="))
    }
  }

  private static let folder = "Tests/AnnalsTests/Reports"

  /// Events as anybody could append them, in a page, a text and a history.
  @Test func aHostileStore() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        #"""
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT id, type, data::jsonb, version FROM (VALUES
          ('..', '</style></script>', '{}', 1),
          ('<img src=x onerror=alert(1)>', '<img src=x onerror=alert(2)>', '{"n": 1e131071}', 1),
          (U&'a\202Eb', U&'T\202E"''&', '{}', 1), (E'a\nb', E'\x1B[2J', to_jsonb(repeat('x', 3000000))::text, 1)
        ) AS v (id, type, data, version)
        """#
      )
      for arguments in [["--html", "-"], ["--html", "-", "--no-ids"], [], ["--no-ids"]] {
        let run = try await annals(["report"] + arguments)
        #expect([0, 2].contains(run.exitCode), "\(run.standardError)")
        let output = run.standardOutput
        #expect(!output.unicodeScalars.contains("\u{202E}") && !output.contains("\u{1B}"))
        #expect(output.utf8.count < 300_000 && !output.contains("xxxxxxxx"))
        if arguments.contains("--html") {
          #expect(!output.contains("<img") && !output.contains("</script"))
          #expect(output.ranges(of: "</style>").count == 1)
          #expect(output.contains("&lt;img src=x onerror=alert(2)&gt;"))
        }
        if arguments.contains("--no-ids") {
          #expect(!output.contains("alert(1)") && !output.contains("a\\u{202e}b"))
        }
      }
    }
  }

  /// Each run adds a line; the third one draws them. A cut line is named and left out.
  @Test func historyAndVerdict() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.events)
      let folder = "/tmp/annals-test-\(db.name)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let (history, page) = ("\(folder)/shop.ndjson", "\(folder)/shop.html")
      var run = try await annals(["report", "--html", page, "--history", history, "--now", "2026-03-01"])
      #expect(run.exitCode == 0 && run.standardOutput == "" && run.standardError == "")
      try await db.psql("UPDATE events SET version = 100 WHERE aggregate_id = 'order-1' AND version = 12")
      run = try await annals(["report", "--html", page, "--history", history, "--now", "2026-03-02"])
      #expect(run.exitCode == 2 && run.standardOutput == "")
      for format in ["json", "ndjson"] {
        let found = try await annals(["verify-versions", "-o", format])
        try Data(found.standardOutput.utf8).write(to: URL(filePath: "\(folder)/findings"))
        let text = try await annals(["report", "--verify", "\(folder)/findings"])
        #expect(text.exitCode == 2 && text.standardOutput.contains("versions: 1 error in \(folder)/findings"))
      }
      let file = try #require(FileManager.default.contents(atPath: history))
      try (file + Data("{\"time\":\"2026".utf8)).write(to: URL(filePath: history))
      run = try await annals([
        "report", "--html", page, "--text", "--history", history, "--now", "2026-03-03",
      ])
      #expect(run.standardError.contains("line 3 is cut off and is left out"), "\(run.standardError)")
      #expect(run.standardOutput.contains("2026-03-01T00:00:00Z") && run.standardOutput.contains("✖ PROBLEM"))
      let text = String(decoding: try #require(FileManager.default.contents(atPath: page)), as: UTF8.self)
      #expect(text.contains("class=\"band\""))
      let lines = String(decoding: try #require(FileManager.default.contents(atPath: history)), as: UTF8.self)
        .split(separator: "\n")
      #expect(
        lines.count == 4
          && lines[3].hasPrefix("{\"time\":\"2026-03-03T00:00:00Z\",\"store\":\"public.events\"")
      )
    }
  }

  /// Traffic before the window is drawn from the runs of that time; if events became fewer, that is no traffic.
  @Test func olderDaysComeFromTheHistory() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.events)
      let file = "/tmp/annals-test-\(db.name).ndjson"
      defer { try? FileManager.default.removeItem(atPath: file) }
      let runs = [("2025-11-01", 100), ("2025-11-03", 120), ("2025-11-05", 40), ("2025-11-15", 1040)]
      let lines = runs.map { day, events in
        #"{"time":"\#(day)T00:00:00Z","store":"public.events","events":\#(events),"bad":false,"readers":[]}"#
          + "\n"
      }
      try lines.joined().write(toFile: file, atomically: true, encoding: .utf8)
      let run = try await annals(["report", "--history", file, "--html", "-"] + Self.now)
      let page = run.standardOutput
      #expect(
        page.contains(
          "<td>2025-11-01T00:00:00Z</td><td>2025-11-03T00:00:00Z</td><td class=\"number\">10</td>"
        )
      )
      #expect(
        page.contains(
          "<td>2025-11-05T00:00:00Z</td><td>2025-11-15T00:00:00Z</td><td class=\"number\">100</td>"
        )
      )
      #expect(page.contains("Events a day before that, from run to run"))
    }
  }

  /// A part that takes too long is named, and the others are there.
  @Test func aPartThatIsLate() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.events)
      try await db.psql(
        "CREATE TABLE slow AS TABLE events; DROP TABLE events; CREATE VIEW events AS SELECT * FROM slow WHERE pg_sleep(0.2) IS NOT NULL"
      )
      let run = try await annals(["report", "--part-timeout", "300ms"] + Self.now)
      #expect(run.exitCode == 2, "\(run.standardError)")
      #expect(run.standardOutput.contains("not computed after 0.3 s"), "\(run.standardOutput)")
    }
  }

  /// Another session's lock blocks the parts that read events; the page is printed nevertheless, and says so.
  @Test func aLockedTable() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.events)
      let lock = Task {
        try await db.psql("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)")
      }
      let holder = """
        FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'events'::regclass
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """
      while try await db.psql("SELECT count(*) \(holder)") == "0" {}
      let run = try await annals(["report", "--part-timeout", "200ms", "--html", "-"] + Self.now)
      try await db.psql("SELECT pg_terminate_backend(pid) \(holder)")
      _ = await lock.result
      #expect(run.exitCode == 2, "\(run.standardError)")
      #expect(run.standardOutput.contains("versions: not computed after 0.2 s"))
      #expect(run.standardOutput.contains("<h2>10 Integrity</h2>"))
    }
  }

  /// Many streams and types, with names as long as the table takes.
  @Test func aPageIsSmall() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
        SELECT 's-' || n || repeat('<', 240), 't-' || n % 500 || repeat('&', 90), '{}', 1,
               timestamptz '2025-12-31T10:00:00Z' + n * interval '1 hour'
        FROM generate_series(1, 3000) AS n
        """
      )
      let run = try await annals(["report", "--html", "-"])
      #expect(run.standardOutput.utf8.count < 300_000 && run.standardOutput.contains("470 more types"))
    }
  }

  @Test(arguments: [
    ("report --html - --text", 64, "both write to standard output"),
    ("report --part-timeout 0", 64, "--part-timeout must be more than 0"),
    ("report --verify /none", 65, "cannot read /none"),
  ])
  func aWrongLine(line: String, status: Int32, message: String) async throws {
    let run = try await AnnalsBinary.run(
      line.split(separator: " ").map(String.init),
      environment: ["PGHOST": "/none"]
    )
    #expect(run.exitCode == status && run.standardOutput == "")
    #expect(run.standardError.contains(message), "\(run.standardError)")
  }
}

extension String {
  fileprivate func components(between start: String, and end: String) -> String? {
    guard let first = firstRange(of: start), let last = firstRange(of: end) else { return nil }
    return String(self[first.lowerBound..<last.lowerBound])
  }
}
