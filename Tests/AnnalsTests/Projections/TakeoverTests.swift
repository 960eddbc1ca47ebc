import FoundationEssentials
import Glibc
import PostgresSandbox
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// One process keeps a read model current, and another waits beside it, as the same unit on two machines does.
@Suite struct TakeoverTests {
  /// What happens to the working process.
  private enum Harm: CaseIterable {
    case killed
    /// It wakes up when the other one has taken over.
    case stopped
    case cutOff
    /// The server restarts under both.
    case restarted
  }

  /// How often somebody takes over: `ANNALS_TAKEOVERS`, or once for each harm.
  private static let count =
    ProcessInfo.processInfo.environment["ANNALS_TAKEOVERS"].flatMap { Int($0) } ?? Harm.allCases.count

  private final class Writing: Sendable {
    private let flag = Atomic(false)
    var isOver: Bool { flag.load(ordering: .relaxed) }
    func end() { flag.store(true, ordering: .relaxed) }
  }

  /// A command that is started again whenever it ends, in a folder with its `pid` and `err`.
  private struct Machine {
    let name: String
    let folder: FilePath
    let proxy: ServerProxy

    func run(_ command: String) async throws {
      _ = try await runShell(
        """
        cd '\(folder)'; PATH='\(AnnalsBinary.path.removingLastComponent())':$PATH
        until test -e end; do \(command) >>out 2>>err & echo $! >pid; wait $!; done
        """,
        environment: proxy.database.environment.merging(["PGAPPNAME": name]) { $1 }
      )
    }

    func signal(_ number: Int32) throws {
      let text = String(decoding: try Data(contentsOf: path("pid")), as: UTF8.self)
      let process = try #require(pid_t(text.filter { $0 != "\n" }))
      kill(process, number)
    }

    func end() throws {
      try Data().write(to: path("end"))
      try signal(SIGCONT)
      try signal(SIGTERM)
    }

    func path(_ file: String) -> URL { URL(filePath: folder.appending(file).string) }
  }

  /// Runs a command on two machines; the holder of `lock` is harmed again and again while events are written.
  private func withTakeovers(
    of lock: String,
    _ command: String,
    prepare: (TestDatabase, FilePath) async throws -> Void = { _, _ in },
    isDone: (TestDatabase, FilePath) async throws -> Bool,
    harms: [Harm] = Harm.allCases,
    check: (TestDatabase, FilePath) async throws -> Void
  ) async throws {
    try await TestCluster.withServer { server, db in
      let folder = FilePath("/tmp/annals-takeover-\(UInt64.random(in: 0 ... .max))")
      _ = try await runShell("mkdir -p '\(folder)/a' '\(folder)/b'")
      defer { rmdirAll(folder) }
      #expect(try await AnnalsBinary.run(["init"], environment: db.environment).exitCode == 0)
      try await prepare(db, folder)
      let machines = try ["a", "b"].map {
        Machine(name: $0, folder: folder.appending($0), proxy: try ServerProxy(to: db))
      }
      defer { for machine in machines { machine.proxy.stop() } }
      let writing = Writing()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for machine in machines { group.addTask { try await machine.run(command) } }
        group.addTask {
          // A failure elsewhere cancels it.
          while !writing.isOver, !Task.isCancelled {
            // The server may be away.
            _ = try? await db.psql(
              """
              INSERT INTO events (aggregate_id, event_type, event_data, version)
              SELECT gen_random_uuid(), 'Added', '{}', 1 FROM generate_series(1, 3)
              """
            )
          }
        }
        // It says so after a while: the other one may end soon.
        try await until {
          let said = try await runShell("cat '\(folder)'/?/err")
          return said.standardOutput.contains("on standby: another session works on \(lock) (process ")
        }
        for number in 0..<Self.count {
          let (holder, session) = try await holder(of: lock, among: machines, db)
          let harm = harms[number % harms.count]
          try await self.harm(holder, harm, server) {
            try await until {
              let next = try await self.holder(of: lock, among: machines, db)
              // One that is killed starts again at once, and may be faster than the other one.
              return next.session != session && (harm == .killed || next.machine.name != holder.name)
            }
          }
        }
        writing.end()
        try await until { try await isDone(db, folder) }
        for machine in machines { try machine.end() }
        try await group.waitForAll()
      }
      try await check(db, folder)
    }
  }

  private func harm(
    _ machine: Machine,
    _ harm: Harm,
    _ server: Sandbox,
    takenOver: () async throws -> Void
  ) async throws {
    switch harm {
    case .killed:
      try machine.signal(SIGKILL)
      try await takenOver()
    case .stopped:
      try machine.signal(SIGSTOP)
      try await takenOver()
      try machine.signal(SIGCONT)
    case .cutOff:
      machine.proxy.stall(.toServer)
      machine.proxy.stall(.toClient)
      try await takenOver()
      machine.proxy.resume()
    case .restarted:
      try await server.stop()
      try await server.start()
    }
  }

  /// The machine that has the lock, and the server process of its session.
  private func holder(
    of lock: String,
    among machines: [Machine],
    _ db: TestDatabase
  ) async throws -> (machine: Machine, session: Substring) {
    var holder: (Machine, Substring)?
    try await until {
      let found = try? await db.psql(
        """
        SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.objid = (hashtext('\(lock)')::bigint & 4294967295)::oid AND l.objsubid = 2
        """
      )
      let fields = found?.split(separator: "|") ?? []
      holder = machines.first { $0.name == fields.first ?? "" }.map { ($0, fields[1]) }
      return holder != nil
    }
    return try #require(holder)
  }

  private static let seen = """
    -- @projection seen
    -- @create
    CREATE TABLE seen (position bigint NOT NULL);
    -- @on Added
    INSERT INTO seen VALUES (event.position);
    """

  @Test func aProjectionAppliesEachEventOnce() async throws {
    try await withTakeovers(of: "projection seen", "annals project --standby ../seen.sql") { db, folder in
      try Data(Self.seen.utf8).write(to: URL(filePath: folder.appending("seen.sql").string))
      let built = try await AnnalsBinary.run(
        ["rebuild-projection", folder.appending("seen.sql").string],
        environment: db.environment
      )
      #expect(built.exitCode == 0, "\(built.standardError)")
    } isDone: { db, _ in
      try await db.psql("SELECT (SELECT count(*) FROM seen) >= (SELECT count(*) FROM events)") == "t"
    } check: { db, folder in
      let difference = try await db.psql(
        "SELECT count(*), count(DISTINCT position), count(*) - (SELECT count(*) FROM events) FROM seen"
      )
      let counts = difference.split(separator: "|")
      #expect(counts[0] == counts[1] && counts[2] == "0", "\(difference)")
      let said = try await runShell("cat '\(folder)'/?/err")
      #expect(said.standardOutput.contains("taking over projection seen"))
    }
  }

  /// A stopped process keeps its checkpoint: the other one cannot know that it passes nothing on.
  @Test func aReplayPassesEachEventOnAtLeastOnce() async throws {
    try await withTakeovers(
      of: "checkpoint seen",
      "annals replay --follow --checkpoint seen --standby",
      isDone: { db, folder in
        let all = try await db.psql("SELECT max(position) FROM events")
        return try await db.psql("SELECT position >= \(all) FROM annals.checkpoints") == "t"
      },
      harms: [.killed, .restarted],
      check: { db, folder in
        let lines = try await runShell(
          "cat '\(folder)'/?/out | grep -o '\"position\":[0-9]*' | sort -u | wc -l"
        )
        #expect(lines.standardOutput == "\(try await db.psql("SELECT count(*) FROM events"))\n")
      }
    )
  }

  private func rmdirAll(_ folder: FilePath) { try? FileManager.default.removeItem(atPath: folder.string) }
}
