import FoundationEssentials
import Subprocess
import TestSupport
import Testing

/// Where annals connects is libpq's business, as for psql.
@Suite struct ConnectionOptionsTests {
  /// `init -n` prints something if the database is not ready, so the output shows that it was reached.
  private func expectReached(_ arguments: [String], _ environment: [String: String] = [:]) async throws {
    let run = try await AnnalsBinary.run(["init", "-n"] + arguments, environment: environment)
    #expect(run.status == .exited(0), "\(run.standardError)")
    #expect(run.standardOutput.contains("CREATE TABLE \"public\".\"events\""))
  }

  @Test func theSameWaysAsPsql() async throws {
    try await TestCluster.withDatabase { db in
      let variables = db.environment
      let (host, user) = (variables["PGHOST"] ?? "", variables["PGUSER"] ?? "")
      let port = variables["PGPORT"] ?? "5432"
      try await expectReached([], variables)
      try await expectReached(["-d", db.conninfo])
      let path = host.replacing("/", with: "%2F")
      try await expectReached(["-d", "postgresql://\(user)@/\(db.name)?host=\(path)&port=\(port)"])
      try await expectReached(["-h", host, "-p", port, "-U", user, "-d", db.name])
      try await expectReached(["-h\(host)", "-p\(port)", "-U\(user)", "-d\(db.name)"])
      try await expectReached(["--host", host, "--port=\(port)", "--username", user, "--dbname", db.name])
      // An option beats the variable.
      let elsewhere = variables.merging(["PGDATABASE": "nonesuch"]) { $1 }
      try await expectReached(["-d", db.name], elsewhere)
    }
  }

  @Test func serviceFile() async throws {
    try await TestCluster.withDatabase { db in
      try await withFile("[shop]\n" + db.conninfo.replacing(" ", with: "\n") + "\n") { file in
        try await expectReached(["-d", "service=shop"], ["PGSERVICEFILE": file])
        try await expectReached([], ["PGSERVICEFILE": file, "PGSERVICE": "shop"])
      }
    }
  }

  /// The server requires a password for this role, and only the password file has it.
  @Test func passwordFile() async throws {
    try await TestCluster.withDatabase { db in
      let role = "r" + db.name
      try await db.psql("CREATE ROLE \(role) LOGIN PASSWORD 'right'")
      let rules = try await db.psql("SHOW hba_file")
      let asksForPassword = "local \(db.name) \(role) scram-sha-256\n"
      try await db.psql(
        """
        CREATE TEMP TABLE rules AS
          SELECT '\(asksForPassword)' || pg_read_file('\(rules)') AS text;
        COPY (SELECT regexp_split_to_table(text, '\\n') FROM rules) TO '\(rules)';
        SELECT pg_reload_conf();
        """
      )
      let connection = ["-U", role, "-d", db.name]
      let wrong = try await AnnalsBinary.run(
        ["init", "-n"] + connection,
        environment: db.environment.merging(["PGPASSFILE": "/dev/null"]) { $1 }
      )
      #expect(wrong.status == .exited(69))
      #expect(wrong.standardError.contains("no password supplied"))
      try await withFile("*:*:*:\(role):right\n") { file in
        try await expectReached(connection, db.environment.merging(["PGPASSFILE": file]) { $1 })
      }
      try await withFile("*:*:*:\(role):wrong-and-secret\n") { file in
        let environment = db.environment.merging(["PGPASSFILE": file]) { $1 }
        let run = try await AnnalsBinary.run(["init", "-n"] + connection, environment: environment)
        #expect(run.status == .exited(69))
        #expect(!run.standardError.contains("wrong-and-secret"))
      }
      try await db.psql("DROP ROLE \(role)")
    }
  }

  @Test(arguments: [
    ["-h", "/nonesuch"], ["-d", "postgresql://localhost:1/x"], ["-d", "service=nonesuch"], ["-p", "0"],
    ["-d", "host=/nonesuch password=secret-word"], ["-d", "host=/nonesuch passwort=secret-word"],
  ])
  func cannotConnect(options: [String]) async throws {
    let run = try await AnnalsBinary.run(["init"] + options)
    #expect(run.status == .exited(69))
    #expect(run.standardOutput == "")
    #expect(run.standardError.hasPrefix("annals: error: "))
    #expect(run.standardError.contains("\nHINT:  Check -h, -p, -U, -d"))
    #expect(!run.standardError.contains("secret-word"))
  }

  /// Typing mistakes after which the password of a URI is no longer in its place, and URIs where none is allowed.
  private static let mistyped: [(options: [String], variables: [String: String])] = [
    (["-d", "postgres:/user:tiger@/nonesuch"], [:]), (["-d", "postgresql:user:tiger@h"], [:]),
    (["-d", "POSTGRESQL://u:tiger@h"], [:]), (["-d", "postgresql//u:tiger@h/x"], [:]),
    (["-d", "postgresql://u:ti@tiger@localhost:1/x"], [:]), (["-d", "postgresql://u:tiger/x@h/x"], [:]),
    (["-d", "postgresql://u:123/tiger@h/x"], [:]), (["-d", "postgresql://u:tiger?tiger@h/x"], [:]),
    (["-d", "postgresql://u:%ZZtiger@h/x"], [:]), (["-d", "postgresql://u:tiger#t=ger@h/x"], [:]),
    (["-d", "postgresql:u:tiger=tiger@h"], [:]), (["-d", "host=/nonesuch passwort=tiger"], [:]),
    (["-d", "host=/nonesuch password='tiger"], [:]), (["-d", "dbname=postgresql://u:tiger@h/x"], [:]),
    (["-h", "postgresql://u:tiger@h/x"], [:]), (["-h", "u:tiger@h"], [:]),
    (["-U", "postgres://u:tiger@h"], [:]),
    (["-p", "tiger"], [:]), ([], ["PGDATABASE": "postgresql://u:tiger@h/x"]),
    ([], ["PGDATABASE": "host=h password=tiger"]), ([], ["PGHOST": "u:tiger@h"]),
    ([], ["PGUSER": "u:tiger@h"]),
    ([], ["PGPORT": "tiger"]), (["-d", "service=postgresql://u:tiger@h"], [:]),
  ]

  @Test(arguments: mistyped.indices)
  func noErrorRepeatsAPassword(index: Int) async throws {
    let (options, variables) = Self.mistyped[index]
    try await TestCluster.withDatabase { db in
      for command in [["init"], ["doctor"], ["stream", "-o", "json"], ["doctor", "-o", "ndjson"]] {
        let run = try await AnnalsBinary.run(
          command + options,
          environment: db.environment.merging(variables) { $1 }
        )
        #expect(run.exitCode == 69, "\(options) \(variables): \(run.standardError)")
        for word in ["tiger", "ger@"] {
          #expect(
            !(run.standardOutput + run.standardError).contains(word),
            "\(options): \(run.standardError)"
          )
        }
        // libpq reads two of them as they were meant.
        let isRead =
          run.standardError.contains("could not translate host name \\\"h\\\" to address")
          || run.standardError.contains("could not translate host name \"h\" to address")
        #expect(
          isRead || run.standardError.contains("postgresql://user@host:port/database"),
          "\(run.standardError)"
        )
      }
    }
  }

  @Test(arguments: [
    ["postgresql://u:tiger@h/x"], ["stream", "a", "postgresql://u:tiger@h/x"],
    ["stream", "--table", "a.b.u:tiger@h"],
    ["stream", "--dbnam", "postgresql://u:tiger@h/x"], ["projections", "view", "host=h password=tiger"],
    ["-dpostgresql://u:tiger@h", "stream"],
  ])
  func noUsageErrorRepeatsAPassword(arguments: [String]) async throws {
    let run = try await AnnalsBinary.run(arguments)
    #expect(run.exitCode == 64, "\(run.standardError)")
    #expect(!run.standardError.contains("tiger"), "\(run.standardError)")
  }

  /// A password of one letter is in every word.
  @Test(arguments: [
    "postgresql://o:e@localhost:1/store", "host=localhost port=1 user=o password=e dbname=store",
  ])
  func aShortPasswordGarblesNothing(database: String) async throws {
    let run = try await AnnalsBinary.run(["init", "-d", database])
    #expect(run.exitCode == 69)
    #expect(run.standardError.contains("connection to server at \"localhost\""), "\(run.standardError)")
    #expect(!run.standardError.contains("***"))
  }

  /// Names with a colon or an @ that are valid.
  @Test func unusualNamesAreNoPasswords() async throws {
    try await TestCluster.withDatabase { db in
      let name = "a@b:c \(db.name)"
      try await db.psql("CREATE DATABASE \"\(name)\"; CREATE ROLE \"r@\(db.name)\" LOGIN SUPERUSER")
      try await expectReached(["-d", name, "-U", "r@\(db.name)"], db.environment)
      try await db.psql("DROP DATABASE \"\(name)\"; DROP ROLE \"r@\(db.name)\"")
    }
    let run = try await AnnalsBinary.run(["init", "-h", "::1", "-p", "1"])
    #expect(run.standardError.contains("connection to server at \"::1\""), "\(run.standardError)")
  }

  @Test func aDatabaseThatIsNotThere() async throws {
    try await TestCluster.withDatabase { db in
      let run = try await db.annals("init", "-d", "nonesuch", "-n")
      #expect(run.status == .exited(69))
      #expect(run.standardError.contains("database \"nonesuch\" does not exist"))
    }
  }

  @Test func aReadOnlySession() async throws {
    try await TestCluster.withDatabase { db in
      let readOnly = db.environment.merging(["PGOPTIONS": "-c default_transaction_read_only=on"]) { $1 }
      let run = try await AnnalsBinary.run(["init"], environment: readOnly)
      #expect(run.status == .exited(77))
      #expect(run.standardError.contains("read-only transaction"))
      #expect(run.standardError.contains("HINT:  This is a standby or a read-only session"))
      #expect(try await AnnalsBinary.run(["init", "-n"], environment: readOnly).status == .exited(0))
    }
  }

  /// With a file that only its owner can read, as libpq wants it of a password file.
  private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
    let path = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
    let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
    #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: attributes))
    do { try await body(path) } catch {
      try FileManager.default.removeItem(atPath: path)
      throw error
    }
    try FileManager.default.removeItem(atPath: path)
  }
}
