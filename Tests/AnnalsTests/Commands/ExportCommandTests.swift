import TestSupport
import Testing

/// `annals export` and `annals restore` on the command line.
@Suite struct ExportCommandTests {
  private static let orders = SourceTree.path("Examples/orders/events.ndjson")

  private func withShop(_ body: (_ shop: TestDatabase, _ folder: String) async throws -> Void) async throws {
    try await TestCluster.withDatabase { shop in
      let folder = "/tmp/annals-test-\(shop.name)"
      let script = #"mkdir "$FOLDER" && "$ANNALS" init && "$ANNALS" append --from "$ORDERS""#
      #expect(try await shell(script, shop, folder).exitCode == 0)
      try await body(shop, folder)
      _ = try await runShell("rm -rf '\(folder)'")
    }
  }

  private func shell(_ script: String, _ db: TestDatabase, _ folder: String) async throws -> ProgramRun {
    let variables = ["ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder, "ORDERS": Self.orders]
    return try await runShell(script, environment: db.environment.merging(variables) { $1 })
  }

  private static let events = "SELECT md5(string_agg(e::text, E'\\n' ORDER BY position)) FROM "

  /// A whole export, its parts in a folder, an incremental file and a pipe give the same store.
  @Test func everyWayBack() async throws {
    try await withShop { shop, folder in
      let exports = try await shell(
        """
        set -e
        cd "$FOLDER"
        "$ANNALS" export old.ndjson
        "$ANNALS" append order-9 Noted '{"n": 1.10}'
        "$ANNALS" export whole.ndjson
        "$ANNALS" export new.ndjson --since-file old.ndjson
        "$ANNALS" export --output-dir parts --events-per-file 50
        "$ANNALS" export | gzip > piped.gz
        "$ANNALS" replay > replay.ndjson
        sed '1d;$d' whole.ndjson | cmp - replay.ndjson
        tail -n 1 whole.ndjson | grep -q "\\"$(sed '1d;$d' whole.ndjson | sha256sum | cut -d' ' -f1)\\""
        sed '1d;$d' new.ndjson | wc -l
        "$ANNALS" compare --with whole.ndjson
        head -c 5000 whole.ndjson > cut.ndjson
        "$ANNALS" compare --with cut.ndjson 2> /dev/null || echo $?
        """,
        shop,
        folder
      )
      #expect(exports.exitCode == 0 && exports.standardError == "", "\(exports.standardError)")
      #expect(exports.standardOutput.split(separator: "\n").map { $0.filter { $0 != " " } } == ["1", "65"])
      let expected = try await shop.psql(Self.events + "events e")
      for (number, way) in ["old.ndjson new.ndjson", "whole.ndjson", "parts", "-"].enumerated() {
        let input = way == "-" ? "gzip -dc piped.gz |" : ""
        let run = try await shell(
          """
          set -e
          cd "$FOLDER"
          "$ANNALS" init --table copy\(number).events > /dev/null
          \(input) "$ANNALS" restore --table copy\(number).events \(way)
          """,
          shop,
          folder
        )
        #expect(
          run.exitCode == 0 && run.standardOutput == "" && run.standardError == "",
          "\(run.standardError)"
        )
        #expect(try await shop.psql(Self.events + "copy\(number).events e") == expected, "\(way)")
      }
      // Without its last file an export is incomplete, and so is the middle of a series.
      for arguments in ["new.ndjson", "new.ndjson old.ndjson", "parts/000001.ndjson", "parts/000002.ndjson"] {
        let run = try await shell(
          """
          cd "$FOLDER"
          "$ANNALS" init --table none.events > /dev/null 2>&1
          "$ANNALS" restore --table none.events \(arguments)
          """,
          shop,
          folder
        )
        #expect([1, 65].contains(run.exitCode), "\(arguments): \(run.standardError)")
        #expect(try await shop.psql("SELECT count(*) FROM none.events") == "0")
      }
    }
  }

  /// Readers continue from their positions: a projection and a replay meet no event twice and miss none.
  @Test func readersGoOnBehindARestore() async throws {
    try await withShop { shop, folder in
      let run = try await shell(
        """
        set -e
        cd "$FOLDER"
        "$ANNALS" rebuild-projection "${ORDERS%/*}/orders.sql" > /dev/null
        "$ANNALS" replay --checkpoint mail > first.txt
        "$ANNALS" append order-9 OrderSubmitted '{"customer": "x", "currency": "EUR", "items": [{"quantity": 2, "price": 1}]}'
        "$ANNALS" export shop.ndjson
        psql -qc 'TRUNCATE events'
        "$ANNALS" restore shop.ndjson
        "$ANNALS" append order-9 Noted '{}'
        "$ANNALS" project --once "${ORDERS%/*}/orders.sql"
        "$ANNALS" replay --checkpoint mail > second.txt
        cat first.txt second.txt > both.txt
        "$ANNALS" replay | cmp - both.txt
        "$ANNALS" verify-versions
        "$ANNALS" rebuild-projection --diff "${ORDERS%/*}/orders.sql" | tail -n 1
        """,
        shop,
        folder
      )
      #expect(run.exitCode == 0, "\(run.standardError)\n\(run.standardOutput)")
      #expect(try await shop.psql("SELECT count(*) FROM orders WHERE id = 'order-9'") == "1")
    }
  }

  /// However often it is killed, the next run continues, and the result is the same.
  @Test func aKilledRestoreGoesOn() async throws {
    try await withShop { shop, folder in
      try await shop.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'k-' || v % 1000, 'T', jsonb_build_object('n', v), 1 + v / 1000 FROM generate_series(0, 39999) v
        """
      )
      let run = try await shell(
        """
        cd "$FOLDER"
        "$ANNALS" export shop.ndjson || exit 9
        "$ANNALS" init --table copy.events > /dev/null || exit 9
        for moment in \((0..<6).map { _ in "\(Double.random(in: 0...2))" }.joined(separator: " ")); do
          "$ANNALS" restore --table copy.events shop.ndjson 2> error.txt &
          sleep $moment
          kill -9 $! 2> /dev/null
          wait $! 2> /dev/null
        done
        # What the last one had begun may still be rolled back.
        "$ANNALS" restore --table copy.events shop.ndjson
        """,
        shop,
        folder
      )
      #expect(run.exitCode == 0, "\(run.standardError)")
      let expected = try await shop.psql(Self.events + "events e")
      #expect(try await shop.psql(Self.events + "copy.events e") == expected)
    }
  }

  /// As people read it; the example has some thousand events.
  private func grouped(_ number: Int) -> String {
    "\(number / 1000),\(String(1000 + number % 1000).dropFirst())"
  }

  @Test func lostEventsAndTheirReaders() async throws {
    try await withShop { shop, folder in
      let run = try await shell(
        """
        cd "$FOLDER"
        "$ANNALS" export shop.ndjson
        "$ANNALS" replay --checkpoint mail > /dev/null
        psql -qc "DELETE FROM events WHERE position IN (3, 5)"
        "$ANNALS" restore shop.ndjson; echo $?
        "$ANNALS" restore -n --missing shop.ndjson; echo $?
        "$ANNALS" restore --missing shop.ndjson; echo $?
        "$ANNALS" restore -n --missing shop.ndjson; echo $?
        """,
        shop,
        folder
      )
      let number = try #require(Int(try await shop.psql("SELECT count(*) FROM events")))
      let (count, less) = (grouped(number), grouped(number - 2))
      #expect(
        run.standardOutput == """
          1
          would restore 2 events; \(less) events already there
          2
          2
          would restore 0 events; \(count) events already there
          0

          """
      )
      #expect(run.standardError.contains("HINT:  --missing restores such events"), "\(run.standardError)")
      #expect(run.standardError.contains("checkpoint mail is at \(count), past events that were restored"))
      #expect(
        run.standardError.contains("checkpoint mail is at \(count), past events that would be restored")
      )
    }
  }

  @Test func onlyEventsOfATime() async throws {
    try await withShop { shop, folder in
      let time = try await shop.psql("SELECT timestamp FROM events ORDER BY position OFFSET 30 LIMIT 1")
      for (option, sign) in [("--since", ">="), ("--until", "<="), ("--before", "<")] {
        let run = try await shell(
          #""$ANNALS" export \#(option) '\#(time)' --progress 0.000001 | sed '1d;$d' | wc -l"#,
          shop,
          folder
        )
        let count = try await shop.psql("SELECT count(*) FROM events WHERE timestamp \(sign) '\(time)'")
        #expect(run.standardOutput.filter(\.isNumber) == count, "\(option)")
        #expect(run.standardError.hasPrefix("annals: exporting: "), "\(run.standardError)")
      }
    }
  }

  private static let refusals: [(arguments: [String], status: Int32, message: String)] = [
    (["export", "a", "--output-dir", "b"], 64, "name a file or an --output-dir, not both"),
    (["export", "--category", "a", "--aggregate", "a-1"], 64, "name aggregates or a --category, not both"),
    (["export", "--since-file", "a", "--category", "a"], 64, "omit other filters"),
    (["export", "--output-dir", "a", "--events-per-file", "0"], 64, "--events-per-file must be 1 or more"),
    (["export", "--aggregate", "none"], 4, "no event of aggregate 'none'"),
    (["export", "--category", "none"], 4, "no event of category 'none'"),
    (["export", "--since-file", orders], 65, "is not an export"),
    (["export", "--output-dir", SourceTree.path("Examples")], 1, "the folder is not empty"),
    (["restore"], 64, "missing expected argument"),
    (["restore", "none"], 65, "cannot read none"),
    (["restore", orders], 65, "is not an export"),
    (["restore", SourceTree.path("man")], 4, "there is no export in"),
    (
      ["restore", "--layout", "marten", orders], 78,
      "restoring would write to a store that is read through layout"
    ),
  ]

  @Test func whatIsRefused() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      for (arguments, status, message) in Self.refusals {
        let run = try await AnnalsBinary.run(arguments, environment: db.environment)
        #expect(run.exitCode == status && run.standardError.contains(message), "\(run.standardError)")
      }
    }
  }
}
