import LibPQ
import Synchronization
import TestSupport
import Testing

/// The proxy of the tests: what it passes on arrives, and what it cuts does not.
@Suite struct ServerProxyTests {
  private static func connect(_ proxy: ServerProxy) throws -> Connection {
    try Connection(ConnectionParameters(database: proxy.database.conninfo), canceller: Canceller())
  }

  @Test func everythingPasses() async throws {
    try await TestCluster.withDatabase { db in
      let proxy = try ServerProxy(to: db)
      defer { proxy.stop() }
      let connection = try Self.connect(proxy)
      #expect(try connection.query("SELECT repeat('x', 1000000)").string(0, 0).utf8.count == 1_000_000)
      try connection.execute("CREATE TABLE t (n int)")
      let rows = try connection.copyIn("COPY t FROM STDIN", { try $0(Array("1\n2\n".utf8)) })
      #expect(rows == 2)
      #expect(proxy.messageCount(.toServer) > 4)
      #expect(proxy.messageCount(.toClient) > 4)
    }
  }

  @Test(arguments: ServerProxy.Cut.allCases)
  func aCutStatementRunsOrDoesNot(cut: ServerProxy.Cut) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql("CREATE TABLE t (n int)")
      let insert = "INSERT INTO t VALUES (1)"
      let proxy = try ServerProxy(to: db) { $0.query == insert ? .cut(cut) : .pass }
      defer { proxy.stop() }
      let connection = try Self.connect(proxy)
      let error = try #require(throws: PostgresError.self) { try connection.execute(insert) }
      #expect(error.kind == .connectionLost)
      try await until {
        try await db.psql("SELECT count(*) FROM pg_stat_activity WHERE datname = '\(db.name)'") == "1"
      }
      #expect(try await db.psql("SELECT count(*) FROM t") == (cut == .after ? "1" : "0"))
      // The next connection is whole.
      #expect(try Self.connect(proxy).query("SELECT 1").int32(0, 0) == 1)
    }
  }

  @Test func aStalledServerIsSilentUntilItResumes() async throws {
    try await TestCluster.withDatabase { db in
      let proxy = try ServerProxy(to: db)
      defer { proxy.stop() }
      var connection = try Self.connect(proxy)
      connection.responseTimeout = .milliseconds(200)
      proxy.stall(.toClient)
      var error = try #require(throws: PostgresError.self) { try connection.execute("SELECT 1") }
      #expect(error.kind == .timedOut)
      proxy.resume()

      connection = try Self.connect(proxy)
      connection.responseTimeout = .milliseconds(200)
      proxy.stall(.toServer)
      error = try #require(throws: PostgresError.self) { try connection.execute("SELECT 1") }
      #expect(error.kind == .timedOut)
      proxy.resume()
      #expect(try Self.connect(proxy).query("SELECT 1").int32(0, 0) == 1)
    }
  }

  /// If only the client is told, the server's process stays in its transaction.
  @Test func oneEndMayStayOpen() async throws {
    try await TestCluster.withDatabase { db in
      let proxy = try ServerProxy(to: db) { $0.query == "SELECT 2" ? .cut(.before, .client) : .pass }
      let connection = try Self.connect(proxy)
      try connection.execute("BEGIN")
      #expect(throws: PostgresError.self) { try connection.execute("SELECT 2") }
      let others =
        "SELECT state FROM pg_stat_activity WHERE datname = '\(db.name)' AND pid <> pg_backend_pid()"
      #expect(try await db.psql(others) == "idle in transaction")
      proxy.stop()
      try await until { try await db.psql(others) == "" }
    }
  }
}
