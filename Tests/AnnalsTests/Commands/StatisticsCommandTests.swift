import FoundationEssentials
import TestSupport
import Testing

private let realOrders = SourceTree.path("../shared/data/olist-events.ndjson.gz")

/// `streams` and `stats` as they are run.
@Suite struct StatisticsCommandTests {
  /// A wrong word is an error before anything is read, and nothing is written.
  @Test(arguments: [
    (
      "stats --by colour",
      "'colour' is no unit of --by; choose from category, type, stream, hour, day, week, month"
    ),
    ("stats --by type,", "'' is no unit of --by"), ("stats --by type,type", "--by names 'type' twice"),
    ("stats --by type,day,hour", "--by takes one unit, or two"), ("stats --top 3", "--top needs --by"),
    ("stats --sample 10", "--sample needs --by"),
    ("stats --by type --sample 0", "--sample must be 1 or more"),
    ("stats --by type --sample 10 --exact", "exclude each other"),
    ("stats --by type --top=-1", "--top cannot be negative"),
    ("stats --by type --all --top 1", "exclude each other"), ("stats --by type --sort size", "'size'"),
    ("stats --by type --sample 9 --sort streams", "leave out --sample or --sort streams"),
    ("streams --limit=-1", "--limit cannot be negative"), ("streams --all --limit 1", "exclude each other"),
    ("streams --longer-than=-1", "--longer-than cannot be negative"), ("streams --sort size", "'size'"),
    ("streams --categories --type T", "--type is for streams"),
    ("streams --categories --sort last", "--sort last is for streams"),
  ])
  func aWrongLineIsAUsageError(line: String, message: String) async throws {
    let run = try await AnnalsBinary.run(
      line.split(separator: " ").map(String.init),
      environment: ["PGHOST": "/none"]
    )
    #expect(run.exitCode == 64 && run.standardOutput == "")
    #expect(run.standardError.contains(message), "\(run.standardError)")
  }

  @Test func whatIsNotThere() async throws {
    try await withEvents { db, annals in
      #expect(try await annals(["streams"]).exitCode == 0)
      #expect(
        try await annals(["stats", "--by", "type", "-o", "csv"]).standardOutput
          == "event_type,events,is_estimate,streams,bytes,first_time,last_time\r\n"
      )
      for (arguments, message) in [
        (["streams", "nobody"], "an aggregate whose id begins with 'nobody'"),
        (["streams", "--category", "c"], "category 'c'"),
        (["streams", "--type", "T"], "type 'T'"),
        (["streams", "--categories", "n"], "a category that begins with 'n'"),
      ] {
        let run = try await annals(arguments)
        #expect(run.exitCode == 4 && run.standardOutput == "")
        #expect(
          run.standardError.hasPrefix("annals: error: public.events has no event of \(message)\n"),
          "\(run.standardError)"
        )
      }
      let wrong = try await annals(["streams", "--since", "soon"])
      #expect(wrong.exitCode == 65 && wrong.standardOutput == "")
    }
  }

  /// A list that is cut by default says so.
  @Test func aCutListSaysSo() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) SELECT 'c' || n || '-1', 'T', '{}', 1 FROM generate_series(1, 101) n"
      )
      for (command, things) in [
        ("streams", "streams"), ("streams --sort last", "streams"), ("streams --categories", "categories"),
        ("stats --by stream", "groups"),
      ] {
        let words = command.split(separator: " ").map(String.init) + ["-o", "ndjson"]
        let cut = try await annals(words)
        #expect(cut.standardOutput.split(separator: "\n").count == 100)
        #expect(
          cut.standardError.hasPrefix("annals: these are the first 100 \(things); --all "),
          "\(cut.standardError)"
        )
        let option = command.hasPrefix("stats") ? "--top" : "--limit"
        let asked = try await annals(words + [option, "3"])
        #expect(asked.standardOutput.split(separator: "\n").count == 3 && asked.standardError == "")
        let all = try await annals(words + ["--all"])
        #expect(all.standardOutput.split(separator: "\n").count == 101 && all.standardError == "")
      }
      let days = try await annals(["stats", "--by", "hour", "-o", "csv"])
      #expect(days.standardError == "")
    }
  }

  /// The same numbers in every format, and a name that could be a formula is not one in a cell.
  @Test func everyFormatHasTheSame() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
        SELECT id, type, '{}', 1, '2026-01-02T03:04:05Z'
        FROM (VALUES ('=cmd|'' /C calc''!A0', '+T'), ('a,"b"', E'x\\ny')) AS v (id, type)
        """
      )
      #expect(
        try await annals(["streams", "--fields", "aggregate_id,events,last_time", "-o", "csv"]).standardOutput
          == "aggregate_id,events,last_time\r\n'=cmd|' /C calc'!A0,1,2026-01-02T03:04:05Z\r\n\"a,\"\"b\"\"\",1,2026-01-02T03:04:05Z\r\n"
      )
      #expect(
        try await annals(["stats", "--by", "type,day", "--fields", "event_type,day,events", "-o", "csv"])
          .standardOutput
          == "event_type,day,events\r\n'+T,2026-01-02,1\r\n\"x\ny\",2026-01-02,1\r\n"
      )
      #expect(
        try await annals(["stats", "--by", "type,week", "--fields", "week,event_type,streams", "-o", "json"])
          .standardOutput
          == #"[\#n{"week":"2026-W01","event_type":"+T","streams":1},\#n{"week":"2026-W01","event_type":"x\ny","streams":1}\#n]\#n"#
      )
      let table = try await annals(["stats", "--by", "month"]).standardOutput
      #expect(
        table.hasPrefix(
          "MONTH    EVENTS  STREAMS  BYTES  FIRST TIME            LAST TIME\n2026-01       2        2 "
        )
      )
      let alone = try await annals(["stats"]).standardOutput
      #expect(alone.hasPrefix("events ") && alone.contains("\nstreams           2\n"))
    }
  }

  /// Separate columns of a layout are found too.
  @Test func throughALayout() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        CREATE TABLE message (id uuid DEFAULT gen_random_uuid(), stream text, kind text, body jsonb, version int, at timestamptz, place bigint);
        INSERT INTO message SELECT gen_random_uuid(), 'order-' || n, 'T', '{}', 1, now(), n FROM generate_series(1, 3) n
        """
      )
      let options = [
        "--table", "message", "--columns",
        "aggregate_id=stream,event_type=kind,event_data=body,timestamp=at,position=place",
      ]
      let run = try await annals(["streams", "--fields", "aggregate_id,events", "-o", "csv"] + options)
      #expect(
        run.standardOutput == "aggregate_id,events\r\norder-1,1\r\norder-2,1\r\norder-3,1\r\n",
        "\(run.standardError)"
      )
      let stats = try await annals(["stats", "--fields", "events,streams,types", "-o", "csv"] + options)
      #expect(stats.standardOutput == "events,streams,types\r\n3,3,1\r\n", "\(stats.standardError)")
    }
  }

  /// 37,880 events of a shop, where the file is at hand: every number is that of SQL by hand.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: realOrders))) func realOrdersEqualSQLByHand()
    async throws
  {
    try await withEvents { db, annals in
      let load = try await runShell(
        "gzip -dc \(realOrders) | \(AnnalsBinary.path) append --from -",
        environment: db.environment
      )
      try #require(load.exitCode == 0, "\(load.standardError)")
      try await db.psql("VACUUM ANALYZE events")
      for (command, byHand) in Self.questions {
        let words = command.split(separator: " ").map(String.init)
        let expected = try await db.psql("SET timezone = 'UTC'; \(byHand)").replacing(/^SET\n/, with: "")
        let csv = try await annals(words + ["-o", "csv"])
        #expect(csv.exitCode == 0, "\(csv.standardError)")
        let rows = csv.standardOutput.split(separator: "\r\n").dropFirst().map {
          $0.replacing(",", with: "|")
        }
        #expect(rows.joined(separator: "\n") == expected, "\(command)")
        let count = try await annals(words + ["-o", "ndjson"]).standardOutput.split(separator: "\n").count
        let array = try await annals(words + ["-o", "json"]).standardOutput
        let table = try await annals(words).standardOutput.split(separator: "\n").count
        #expect(count == rows.count && table == rows.count + 1, "\(command)")
        #expect(try await db.psql("SELECT json_array_length($j$\(array)$j$)") == "\(count)")
      }
    }
  }

  private static let iso = #"'YYYY-MM-DD"T"HH24:MI:SS"Z"'"#
  private static let questions: [(String, String)] = {
    let all = "--fields aggregate_id,events,first_version,last_version,first_time,last_time,bytes"
    let select = """
      SELECT aggregate_id, count(*), min(version), max(version), to_char(min(timestamp), \(iso)), to_char(max(timestamp), \(iso)),
             sum(pg_column_size(event_data) + coalesce(pg_column_size(metadata), 0)) FROM events
      """
    return [
      ("streams --limit 9000 \(all)", "\(select) GROUP BY 1 ORDER BY 1"),
      ("streams --all \(all)", "\(select) GROUP BY 1 ORDER BY 1"),
      (
        "streams order-1 \(all)",
        "\(select) WHERE starts_with(aggregate_id, 'order-1') GROUP BY 1 ORDER BY 1 LIMIT 100"
      ),
      ("streams --sort events --limit 50 \(all)", "\(select) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50"),
      ("streams --sort bytes --limit 50 \(all)", "\(select) GROUP BY 1 ORDER BY 7 DESC, 1 LIMIT 50"),
      (
        "streams --sort last --limit 50 \(all)",
        "\(select) GROUP BY 1 ORDER BY max(timestamp) DESC, 1 LIMIT 50"
      ),
      (
        "streams --type OrderCanceled --since 2018-03 --until 2018-08 --longer-than 3 --all \(all)",
        """
        \(select) GROUP BY 1 HAVING bool_or(event_type = 'OrderCanceled') AND max(timestamp) >= '2018-03-01'
        AND max(timestamp) < '2018-09-01' AND count(*) > 3 ORDER BY 1
        """
      ),
      ("streams --categories", "SELECT 'order', count(DISTINCT aggregate_id), count(*), 'false' FROM events"),
      (
        "stats --by type --fields event_type,events,streams,bytes",
        """
        SELECT event_type, count(*), count(DISTINCT aggregate_id), sum(pg_column_size(event_data) + coalesce(pg_column_size(metadata), 0))
        FROM events GROUP BY 1 ORDER BY 2 DESC, 1
        """
      ),
      (
        "stats --by week,type --fields week,event_type,events,streams,first_time,last_time",
        """
        SELECT to_char(timestamp, 'IYYY-"W"IW'), event_type, count(*), count(DISTINCT aggregate_id), to_char(min(timestamp), \(iso)),
               to_char(max(timestamp), \(iso)) FROM events GROUP BY 1, 2 ORDER BY 1, 2
        """
      ),
      (
        "stats --by hour --since 2018-01 --until 2018-06-15 --fields hour,events,streams",
        """
        SELECT to_char(date_trunc('hour', timestamp), \(iso)), count(*), count(DISTINCT aggregate_id) FROM events
        WHERE timestamp >= '2018-01-01' AND timestamp < '2018-06-16' GROUP BY 1 ORDER BY 1
        """
      ),
      (
        "stats --fields events,streams,types,oldest,newest,total_bytes",
        """
        SELECT count(*), count(DISTINCT aggregate_id), count(DISTINCT event_type), to_char(min(timestamp), \(iso)),
               to_char(max(timestamp), \(iso)), pg_total_relation_size('events') FROM events
        """
      ),
    ]
  }()
}
