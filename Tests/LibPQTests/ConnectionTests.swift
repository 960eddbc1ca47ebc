import LibPQ
import TestSupport
import Testing

/// Runs the body with a connection to a database of its own.
func withConnection<R>(_ body: (Connection, TestDatabase) async throws -> R) async throws -> R {
  try await TestCluster.withDatabase { database in
    let parameters = ConnectionParameters(database: database.conninfo)
    return try await body(try Connection(parameters, canceller: Canceller()), database)
  }
}

extension Connection {
  /// One number; #expect cannot hold a result, which is not copyable.
  func number(_ sql: String) throws -> Int {
    try Int(query("SELECT (\(raw: sql))::bigint").int64(0, 0))
  }

  func text(_ sql: String) throws -> String {
    try query("SELECT (\(raw: sql))::text").string(0, 0)
  }
}

private struct Stop: Error {}

@Suite struct ConnectionTests {
  @Test func sessionSettingsDecideHowValuesAreRead() async throws {
    try await TestCluster.withDatabase { database in
      try await database.psql("ALTER DATABASE \(database.name) SET TimeZone = 'America/Sao_Paulo'")
      let parameters = ConnectionParameters(database: database.conninfo)
      let connection = try Connection(parameters, canceller: Canceller())
      let zone = try connection.query(
        "SELECT current_setting('TimeZone'), current_setting('application_name')"
      )
      #expect(zone.string(0, 0) == "UTC")
      #expect(zone.string(0, 1) == "annals")
    }
  }

  @Test func aFailedConnectionSaysWhyWithoutThePassword() throws {
    let parameters = ConnectionParameters(
      database: "host=/nonexistent user=u password=s3cret-word dbname=x"
    )
    let error = #expect(throws: PostgresError.self) { try Connection(parameters, canceller: Canceller()) }
    #expect(error?.kind == .cannotConnect)
    #expect(error?.message.contains("/nonexistent") == true)
    #expect(error?.message.contains("s3cret-word") == false)
  }

  /// libpq quotes the part of a malformed string that it could not read, which may be a part of the password.
  @Test(arguments: [
    "postgresql://u:s3cret@word@host:port/x", "host=localhost password='s3cret-word",
    "password = s3cret word",
  ])
  func aMalformedConnectionStringIsNotEchoed(conninfo: String) throws {
    let error = #expect(throws: PostgresError.self) {
      try Connection(ConnectionParameters(database: conninfo), canceller: Canceller())
    }
    #expect(error?.kind == .cannotConnect)
    #expect(error?.message.contains("s3cret") == false, "\(error?.message ?? "")")
    #expect(error?.message.contains("word\"") == false, "\(error?.message ?? "")")
  }

  @Test func anErrorCarriesTheServersFields() async throws {
    try await withConnection { connection, _ in
      try connection.execute("CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0))")
      let error = #expect(throws: PostgresError.self) {
        _ = try connection.query("INSERT INTO t VALUES ($1)", [.int4(-1)])
      }
      #expect(error?.kind == .statement)
      #expect(error?.sqlState == "23514")
      #expect(error?.constraint == "positive")
      #expect(error?.table == "t")
      #expect(error?.detail?.contains("-1") == true)
      #expect(try connection.number("SELECT 1") == 1, "the connection goes on after an error")
    }
  }

  /// Longer than any socket's buffer, so that a part of it waits in libpq when sending returns.
  @Test func aLongStatementIsSentWhole() async throws {
    try await withConnection { connection, _ in
      // Ends a wait for the answer to half a statement.
      connection.responseTimeout = .seconds(120)
      let comment = String(repeating: "-", count: 20_000_000)
      try connection.execute("\(comment)\nCREATE TABLE made ()")
      #expect(try connection.number("SELECT count(*) FROM made") == 0)
    }
  }

  @Test func noticesReachTheirReader() async throws {
    try await withConnection { connection, _ in
      var notices: [String] = []
      connection.onNotice = { notices.append($0) }
      try connection.execute("DO $$ BEGIN RAISE WARNING 'mind the gap'; END $$")
      #expect(notices.count == 1)
      #expect(notices.first?.contains("mind the gap") == true)
    }
  }

  @Test func aTransactionThatThrowsLeavesNothing() async throws {
    try await withConnection { connection, _ in
      try connection.execute("CREATE TABLE t (a int)")
      let outcome = Result {
        try connection.transaction {
          try connection.execute("INSERT INTO t VALUES (1)")
          throw Stop()
        }
      }
      #expect(throws: Stop.self) { try outcome.get() }
      #expect(!connection.isInTransaction)
      try connection.transaction {
        try connection.execute("INSERT INTO t VALUES (2)")
        #expect(throws: PostgresError.self) {
          try connection.savepoint {
            try connection.execute("INSERT INTO t VALUES (3)")
            try connection.execute("SELECT 1/0")
          }
        }
        try connection.execute("INSERT INTO t VALUES (4)")
      }
      #expect(try connection.text("SELECT string_agg(a::text, ',' ORDER BY a) FROM t") == "2,4")
    }
  }
}

@Suite struct WaitingTests {
  @Test func cancellingEndsTheStatementAndKeepsTheConnection() async throws {
    try await withConnection { connection, database in
      let canceller = connection.canceller
      let marker = "SELECT pg_sleep(600) /* \(database.name) */"
      let watcher = Task {
        // Cancel only once the server really runs the statement.
        while try await database.psql(
          "SELECT count(*) FROM pg_stat_activity WHERE query = '\(marker)' AND state = 'active'"
        ) != "1" {}
        canceller.cancel()
      }
      let error = #expect(throws: PostgresError.self) { try connection.execute(marker) }
      try await watcher.value
      #expect(error?.sqlState == SQLState.queryCanceled)
      #expect(throws: PostgresError.self) { try connection.execute("SELECT 1") }
      canceller.reset()
      #expect(try connection.number("SELECT 7") == 7)
    }
  }

  @Test func aCancelledTransactionIsRolledBack() async throws {
    try await withConnection { connection, _ in
      try connection.execute("CREATE TABLE t (a int)")
      #expect(throws: PostgresError.self) {
        try connection.transaction {
          try connection.execute("INSERT INTO t VALUES (1)")
          connection.canceller.cancel()
          try connection.execute("INSERT INTO t VALUES (2)")
        }
      }
      #expect(!connection.isInTransaction)
      connection.canceller.reset()
      #expect(try connection.number("SELECT count(*) FROM t") == 0)
    }
  }

  @Test func aSilentServerIsGivenUp() async throws {
    try await withConnection { connection, _ in
      connection.responseTimeout = .milliseconds(50)
      let error = #expect(throws: PostgresError.self) { try connection.execute("SELECT pg_sleep(600)") }
      #expect(error?.kind == .timedOut)
      #expect(connection.isBroken, "a late answer must not be taken for that of the next statement")
    }
  }

  @Test func aTerminatedBackendIsALostConnection() async throws {
    try await withConnection { connection, database in
      try await database.psql("SELECT pg_terminate_backend(\(connection.backendProcessID))")
      let error = #expect(throws: PostgresError.self) {
        while true { try connection.execute("SELECT 1") }
      }
      #expect(error?.kind == .connectionLost)
      #expect(connection.isBroken)
    }
  }
}
