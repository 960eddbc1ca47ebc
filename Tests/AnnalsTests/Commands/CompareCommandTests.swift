import TestSupport
import Testing

/// `annals compare` on the command line.
@Suite struct CompareCommandTests {
  private func withStores(
    _ body: (_ db: TestDatabase, _ annals: (String...) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'order-' || s, 'T', jsonb_build_object('n', v, 'key, "quoted"', E'line\\nbreak'), v
        FROM generate_series(1, 3) s, generate_series(1, 3) v;
        CREATE SCHEMA "the copy";
        CREATE TABLE "the copy".events (LIKE events INCLUDING ALL);
        INSERT INTO "the copy".events OVERRIDING SYSTEM VALUE SELECT * FROM events;
        """
      )
      try await body(db) { (arguments: String...) in
        try await AnnalsBinary.run(arguments, environment: db.environment)
      }
    }
  }

  private static let copy = #""the copy".events"#
  private static let other = "application_name=other"

  @Test func equalStoresSayNothing() async throws {
    try await withStores { db, annals in
      let runs = [
        try await annals("compare", "--with", Self.other, "--with-table", Self.copy),
        try await annals("compare", "order-1", "--with", db.conninfo),
        try await annals("compare", "--with", "postgresql:///", "--with-table", Self.copy, "--data", "n>1"),
      ]
      for run in runs {
        #expect(run.exitCode == 0 && run.standardOutput == "" && run.standardError == "", "\(run)")
      }
    }
  }

  @Test func differencesAreRecords() async throws {
    try await withStores { db, annals in
      try await db.psql(
        """
        DELETE FROM "the copy".events WHERE aggregate_id = 'order-1';
        UPDATE "the copy".events SET event_data = event_data || '{"n": 0}' WHERE aggregate_id = 'order-2' AND version = 2;
        """
      )
      let options = ["--with", Self.other, "--with-table", Self.copy]
      func compare(_ more: String...) async throws -> ProgramRun {
        let run = try await AnnalsBinary.run(["compare"] + options + more, environment: db.environment)
        #expect(run.exitCode == 2)
        return run
      }
      let first = """
        {"kind":"only_here","aggregate_id":"order-1","version":1,"last_version":3,"version_there":null,"events":3,\
        "path":null,"here":null,"there":null}
        """
      let whole = try await compare("-o", "ndjson").standardOutput.split(separator: "\n")
      #expect(whole.count == 2 && whole[0] == first)
      let limited = try await compare("--max-differences", "1", "-o", "json")
      #expect(limited.standardOutput == "[\n\(first)\n]\n")
      #expect(limited.standardError == "annals: 1 difference not shown (--max-differences)\n")
      let fields = try await compare(
        "order-2",
        "order-3",
        "-o",
        "csv",
        "--fields",
        "kind,version,path,here,there"
      )
      #expect(
        fields.standardOutput.replacing("\r\n", with: "\n")
          == "kind,version,path,here,there\nchanged,2,.event_data.n,2,0\n"
      )
      let table = try await compare("--category", "order").standardOutput
      #expect(table.contains("KIND") && table.contains("only_here") && table.contains("changed"))
    }
  }

  @Test func filesAreReadFromStandardInputToo() async throws {
    try await withStores { db, annals in
      let script = """
        set -e
        file=$(mktemp)
        "$ANNALS" verify-versions --manifest "$file"
        "$ANNALS" compare --with - < "$file"
        rm "$file"
        "$ANNALS" replay | "$ANNALS" compare --with -
        "$ANNALS" replay | sed s/order-3/order-4/ | "$ANNALS" compare --with - --fields kind,aggregate_id -o csv
        """
      let run = try await runShell(
        script,
        environment: db.environment.merging(["ANNALS": "\(AnnalsBinary.path)"]) { $1 }
      )
      let lines = run.standardOutput.replacing("\r\n", with: "\n")
      #expect(lines == "kind,aggregate_id\nonly_here,order-3\nonly_there,order-4\n")
      #expect(run.exitCode == 2 && run.standardError == "", "\(run.standardError)")
    }
  }

  @Test(arguments: [
    (
      ["--with", "no-such-file"], 65, "cannot read no-such-file: No such file or directory",
      "dbname=no-such-file"
    ),
    (
      ["--with", "dbname=none", "--with-table", "a", "--with-layout", "marten"], 64, "exclude each other", ""
    ),
    (["--with", "file", "--with-layout", "marten"], 64, "not for a file", ""),
    (["--with", "dbname=none", "--max-differences=-1"], 64, "--max-differences is 0 or more", ""),
    ([], 64, "missing expected argument '--with <store>'", ""),
    (["order-1", "--category", "order", "--with", "x"], 64, "not both", ""),
    (["--with", "hots=x"], 69, "in what is compared with: ", "the connection string cannot be read"),
  ])
  func whatIsRefused(arguments: [String], status: Int32, message: String, more: String) async throws {
    try await withStores { db, _ in
      let run = try await AnnalsBinary.run(["compare"] + arguments, environment: db.environment)
      #expect(run.exitCode == status && run.standardOutput == "")
      #expect(run.standardError.contains(message) && run.standardError.contains(more), "\(run.standardError)")
    }
  }

  /// A password of the other store is as secret as any other.
  @Test func noPasswordIsRepeated() async throws {
    try await withStores { db, annals in
      let run = try await annals("compare", "--with", "host=/none password=tops3cret dbname=x")
      #expect(run.exitCode == 69 && !run.standardError.contains("tops3cret"), "\(run.standardError)")
      let file = try await annals("compare", "--with", "postgres:/user:tops3cret@host")
      #expect(file.exitCode != 0, "\(file.standardError)")
    }
  }
}
