import Dispatch
import LibPQ
import Synchronization
import TestSupport
import Testing

/// A silent server is busy, or gone.
@Suite struct SilentServerTests {
  /// Runs what blocks where it holds up no other test.
  private func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue(label: "test").async { continuation.resume(with: Result { try body() }) }
    }
  }

  private static func connect(
    _ conninfo: String,
    probeInterval: Duration = .milliseconds(50),
    canceller: Canceller? = nil
  ) throws -> Connection {
    let connection = try Connection(
      ConnectionParameters(database: conninfo),
      canceller: canceller ?? Canceller()
    )
    connection.probeInterval = probeInterval
    return connection
  }

  /// What a statement fails with.
  private static func error(of sql: String, _ connection: Connection) -> PostgresError? {
    do throws(PostgresError) {
      try connection.execute(sql)
      return nil
    } catch {
      return error
    }
  }

  private final class Flag: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
  }

  /// Runs the body with a connection on which nothing passes in a direction once its flag is set. Later connections,
  /// such as those of a probe, work normally.
  private func withStalledConnection(
    _ direction: ServerProxy.Direction,
    _ body: @escaping @Sendable (Connection, Flag, _ conninfo: String) throws -> PostgresError?
  ) async throws -> PostgresError? {
    try await TestCluster.withDatabase { database in
      let flag = Flag()
      let proxy = try ServerProxy(to: database) {
        $0.connection == 1 && $0.direction == direction && flag.isSet ? .stall : .pass
      }
      defer { proxy.stop() }
      let conninfo = proxy.database.conninfo
      return try await onThread { try body(try Self.connect(conninfo), flag, database.conninfo) }
    }
  }

  @Test func oneThatIsAtWorkIsWaitedFor() async throws {
    try await TestCluster.withDatabase { database in
      let error = try await onThread {
        Self.error(of: "SELECT pg_sleep(3)", try Self.connect(database.conninfo))
      }
      #expect(error == nil)
    }
  }

  /// A statement that waits for a lock is silent too, and the session with the lock is idle.
  @Test func oneThatWaitsForALockIsWaitedFor() async throws {
    try await TestCluster.withDatabase { database in
      let error = try await onThread {
        let holder = try Self.connect(database.conninfo)
        try holder.execute("SELECT pg_advisory_lock(1)")
        let connection = try Self.connect(database.conninfo)
        try connection.execute("SET lock_timeout = '3s'")
        return Self.error(of: "SELECT pg_advisory_lock(1)", connection)
      }
      #expect(error?.sqlState == SQLState.lockNotAvailable, "\(String(describing: error))")
    }
  }

  /// The role may have no second connection: the refusal is an answer.
  @Test func aRefusedProbeIsAnAnswer() async throws {
    try await TestCluster.withDatabase { database in
      let role = "r" + database.name
      try await database.psql("CREATE ROLE \(role) LOGIN CONNECTION LIMIT 1")
      let conninfo = database.conninfo + " user=\(role)"
      let error = try await onThread {
        Self.error(of: "SELECT pg_sleep(2)", try Self.connect(conninfo))
      }
      #expect(error == nil)
      try await database.psql("DROP ROLE \(role)")
    }
  }

  @Test(arguments: [ServerProxy.Direction.toServer, .toClient])
  func aConnectionWhereBothSidesWaitIsLost(direction: ServerProxy.Direction) async throws {
    let error = try await withStalledConnection(direction) { connection, stall, _ in
      stall.set()
      return Self.error(of: "SELECT 1", connection)
    }
    #expect(error?.kind == .connectionLost)
    #expect(
      error?.message.contains("the server waits for this client") == true,
      "\(String(describing: error))"
    )
  }

  @Test func aConnectionThatTheServerHasEndedIsLost() async throws {
    let error = try await withStalledConnection(.toClient) { connection, stall, conninfo in
      let process = connection.backendProcessID
      stall.set()
      try Self.connect(conninfo).execute("SELECT pg_terminate_backend(\(process), 10000)")
      return Self.error(of: "SELECT pg_sleep(600)", connection)
    }
    #expect(error?.kind == .connectionLost)
    #expect(
      error?.message.contains("the server has ended this session") == true,
      "\(String(describing: error))"
    )
  }

  @Test func aServerThatTakesNoConnectionEitherIsGone() async throws {
    try await TestCluster.withDatabase { database in
      let proxy = try ServerProxy(to: database)
      defer { proxy.stop() }
      let error = try await onThread {
        let connection = try Self.connect(proxy.database.conninfo)
        proxy.stall(.toServer)
        return Self.error(of: "SELECT 1", connection)
      }
      #expect(error?.kind == .connectionLost)
      #expect(error?.message.contains("does not answer a new connection either") == true)
    }
  }

  /// The request to cancel connects anew, and gets no answer.
  @Test(arguments: [ServerProxy.Direction.toServer, .toClient])
  func aCancellationThatIsNotAnsweredEndsTheConnection(direction: ServerProxy.Direction) async throws {
    try await TestCluster.withDatabase { database in
      let proxy = try ServerProxy(to: database)
      defer { proxy.stop() }
      let (error, isBroken) = try await onThread {
        let canceller = try Canceller()
        let conninfo = proxy.database.conninfo
        let connection = try Self.connect(conninfo, probeInterval: .seconds(3600), canceller: canceller)
        proxy.stall(direction)
        DispatchQueue(label: "cancel").asyncAfter(deadline: .now() + 0.3) { canceller.cancel() }
        return (Self.error(of: "SELECT pg_sleep(600)", connection), connection.isBroken)
      }
      #expect(error?.kind == .connectionLost)
      #expect(error?.message.contains("after the cancellation") == true, "\(String(describing: error))")
      #expect(isBroken)
    }
  }

  @Test func cancellingEndsTheWaitForAConnection() async throws {
    try await TestCluster.withDatabase { database in
      let proxy = try ServerProxy(to: database)
      defer { proxy.stop() }
      proxy.stall(.toServer)
      let error = await #expect(throws: PostgresError.self) {
        try await onThread {
          let canceller = try Canceller()
          DispatchQueue(label: "cancel").asyncAfter(deadline: .now() + 0.3) { canceller.cancel() }
          _ = try Self.connect(proxy.database.conninfo + " connect_timeout=0", canceller: canceller)
        }
      }
      #expect(error?.sqlState == SQLState.queryCanceled)
    }
  }
}
