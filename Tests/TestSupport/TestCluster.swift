import EventStore
import FoundationEssentials
import Glibc
package import PostgresSandbox
import Subprocess
import SystemPackage

/// The one PostgreSQL server of a test process: started when the first test asks, gone when the process is.
package struct TestCluster: Sendable {
  private let environment: [String: String]

  private static let shared = Task { try await start() }
  /// A separate server for reads on a standby, which replays everything that its primary writes: with all tests on it,
  /// it would be minutes behind.
  private static let replicated = Task { try await start() }

  /// The databases with an initialized store: copying one is faster than initializing a new one.
  private static let template = Task { try await shared.value.makeTemplate() }
  private static let replicatedTemplate = Task { try await replicated.value.makeTemplate() }

  /// Runs the body with a database of its own, and drops it afterwards.
  ///
  /// - Parameters:
  ///   - options: of CREATE DATABASE, as `TEMPLATE template0 ENCODING 'LATIN1'`.
  ///   - isInitialized: whether it has an initialized store.
  ///   - replicated: whether the server has a standby, for ``standby(of:)``.
  package static func withDatabase<Result>(
    options: String = "",
    isInitialized: Bool = false,
    replicated: Bool = false,
    _ body: (TestDatabase) async throws -> Result
  ) async throws -> Result {
    try await DatabaseSlots.shared.withSlot {
      let cluster = try await (replicated ? Self.replicated : shared).value
      let maintenance = cluster.database("postgres")
      let database = cluster.database("t\(randomName())")
      let source = replicated ? replicatedTemplate : Self.template
      let template = isInitialized ? "TEMPLATE \(try await source.value)" : ""
      try await maintenance.psql("CREATE DATABASE \(database.name) \(template) \(options)")
      do {
        let result = try await body(database)
        try await maintenance.psql("DROP DATABASE \(database.name) WITH (FORCE)")
        return result
      } catch {
        _ = try? await maintenance.psql("DROP DATABASE IF EXISTS \(database.name) WITH (FORCE)")
        throw error
      }
    }
  }

  /// Runs the body with a server of its own, which it may stop and start.
  package static func withServer(
    settings: [String: String] = [:],
    _ body: (Sandbox, TestDatabase) async throws -> Void
  ) async throws {
    try await DatabaseSlots.shared.withSlot {
      let directory = FilePath("\(Self.parent)/annals-test-\(randomName())")
      let sandbox = try await Sandbox(directory: directory, settings: settings)
      do {
        try await sandbox.start()
        let variables = try sandbox.environment().map { ($0.name, $0.value) }
        let cluster = TestCluster(environment: Dictionary(uniqueKeysWithValues: variables))
        try await body(sandbox, cluster.database(Sandbox.databaseName))
      } catch {
        try? await sandbox.reset()
        _ = try? await runShell("rm -rf \(directory)")
        throw error
      }
      try await sandbox.reset()
      _ = try await runShell("rm -rf \(directory)")
    }
  }

  /// Runs the body with a server and a standby of it, both its own: the standby may be promoted or paused.
  ///
  /// - Parameter settings: those of the standby.
  package static func withStandby(
    settings: [String: String] = [:],
    _ body: (_ primary: TestDatabase, _ standby: TestDatabase) async throws -> Void
  ) async throws {
    try await withServer { _, primary in
      let directory = FilePath("\(Self.parent)/annals-test-\(randomName())")
      try await backUp(primary.environment, to: directory)
      let sandbox = try await Sandbox(directory: directory, settings: settings)
      do {
        try await sandbox.start()
        let variables = try sandbox.environment().map { ($0.name, $0.value) }
        let standby = TestCluster(environment: Dictionary(uniqueKeysWithValues: variables))
        try await body(primary, standby.database(primary.name))
      } catch {
        try? await sandbox.reset()
        _ = try? await runShell("rm -rf \(directory)")
        throw error
      }
      try await sandbox.reset()
      _ = try await runShell("rm -rf \(directory)")
    }
  }

  /// A replicated database as the hot standby shows it, with all that has been committed so far.
  ///
  /// The standby is made when the first test asks. Other tests read it, too: one that pauses it needs its own.
  package static func standby(of database: TestDatabase) async throws -> TestDatabase {
    let position = try await database.psql("SELECT pg_current_wal_lsn()")
    let standby = try await sharedStandby.value
    // Nobody can connect to the database itself before its creation is replayed.
    let maintenance = standby.database("postgres")
    let isReplayed = "SELECT pg_last_wal_replay_lsn() >= '\(position)'"
    while try await maintenance.psql(isReplayed) != "t" { try await Task.sleep(for: .milliseconds(20)) }
    return standby.database(database.name)
  }

  private static let sharedStandby = Task { try await startStandby() }

  private static func startStandby() async throws -> TestCluster {
    let directory = FilePath("\(Self.parent)/annals-test-\(randomName())")
    try await backUp(replicated.value.environment, to: directory)
    return try await start(in: directory)
  }

  /// Makes a sandbox whose cluster is a base backup: its start finds the data there and adds its own settings.
  private static func backUp(_ environment: [String: String], to directory: FilePath) async throws {
    let script = """
      set -e
      mkdir -m 700 "$1"
      echo standby > "$1/annals-sandbox"
      pg_basebackup -h "$PGHOST" -p "$PGPORT" -U "$PGUSER" -D "$1/data" -R -X stream -C -S standby -c fast
      if [ "$(id -u)" = 0 ]; then chown -R "$PGUSER:" "$1"; fi
      """
    let backup = try await runProgram(
      .path("/bin/sh"),
      ["-c", script, "sh", directory.string],
      environment: environment
    )
    guard backup.exitCode == 0 else { throw PsqlError(description: backup.standardError) }
  }

  /// - Returns: its name.
  private func makeTemplate() async throws -> String {
    let maintenance = database("postgres")
    let template = database("initialized")
    try await maintenance.psql("CREATE DATABASE \(template.name)")
    _ = try await EventStore(connecting: template.conninfo).initialize()
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(template.name)'"
    try await until { try await maintenance.psql(sessions) == "0" }
    return template.name
  }

  private func database(_ name: String) -> TestDatabase {
    TestDatabase(name: name, environment: environment.merging(["PGDATABASE": name]) { $1 })
  }

  private static func start() async throws -> TestCluster {
    try await start(in: FilePath("\(Self.parent)/annals-test-\(randomName())"))
  }

  private static func start(in directory: FilePath) async throws -> TestCluster {
    var settings = ["max_connections": "500", "max_prepared_transactions": "10"]
    // A checkpoint that began before a replication slot can remove the WAL that the slot was just promised, and ends the
    // base backup with it (5 of 60, with 15.18 under constant checkpoints).
    settings["wal_keep_size"] = "256MB"
    let sandbox = try await Sandbox(directory: directory, settings: settings)
    watch(directory)
    try await sandbox.start()
    let variables = try sandbox.environment().map { ($0.name, $0.value) }
    return TestCluster(environment: Dictionary(uniqueKeysWithValues: variables))
  }

  /// Starts a shell that ends the server and removes its folder as soon as this process ends, be it by kill -9:
  /// then the pipe to the shell's standard input closes.
  private static func watch(_ directory: FilePath) {
    let script = """
      trap '' INT TERM HUP
      read -r _
      pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
      while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
      rm -rf "$1"
      """
    var options = PlatformOptions()
    options.createSession = true  // Out of reach of a Ctrl-C that ends the tests.
    Task.detached { [options] in
      _ = try await Subprocess.run(
        .path("/bin/sh"),
        arguments: ["-c", script, "sh", directory.string],
        platformOptions: options,
        input: .inputWriter,
        output: .discarded,
        error: .discarded
      ) { _ in
        while true { try await Task.sleep(for: .seconds(3600)) }
      }
    }
  }

  /// Where the servers' folders are: in memory if there is room. A database is 300 files, which ext4 creates ever more
  /// slowly while others are being removed: creating and dropping one took 0.40 s of a core there, and 0.07 s in
  /// memory.
  private static let parent: String = {
    let memory = "/dev/shm"
    var status = statvfs()
    guard unsafe statvfs(memory, &status) == 0 else { return "/tmp" }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize) >= 6 << 30 ? memory : "/tmp"
  }()

  private static func randomName() -> String {
    String(UInt64.random(in: .min ... .max), radix: 36)
  }
}

/// One test's database.
package struct TestDatabase: Sendable {
  package let name: String

  /// libpq's variables that lead here.
  package let environment: [String: String]

  package init(name: String, environment: [String: String]) {
    self.name = name
    self.environment = environment
  }

  /// Waits for the end of sessions whose clients have ended: only then the server has counted all that they read.
  package func awaitEnd(of applications: String...) async throws {
    let names = applications.map { "'\($0)'" }.joined(separator: ", ")
    try await until {
      try await psql(
        """
        SELECT count(*) FROM pg_stat_activity WHERE application_name IN (\(names))
          AND datname = current_database() AND pid <> pg_backend_pid()
        """
      ) == "0"
    }
  }

  /// Another database of the same server.
  package func sibling(_ name: String) -> TestDatabase {
    TestDatabase(name: name, environment: environment.merging(["PGDATABASE": name]) { $1 })
  }

  /// The same as a conninfo string of libpq.
  package var conninfo: String {
    [("host", "PGHOST"), ("port", "PGPORT"), ("user", "PGUSER"), ("dbname", "PGDATABASE")]
      .compactMap { keyword, variable in environment[variable].map { "\(keyword)=\($0)" } }
      .joined(separator: " ")
  }

  /// Runs SQL with psql, independent of the code under test; stops at the first error.
  ///
  /// - Returns: The rows alone, columns separated by `|`, without the last newline.
  @discardableResult
  package func psql(_ sql: String) async throws -> String {
    // From a file: psql leaves a pipe at the first error, and what is then written to it would end the tests with SIGPIPE.
    let script = "/tmp/annals-test-\(UInt64.random(in: .min ... .max)).sql"
    try Data(sql.utf8).write(to: URL(filePath: script))
    defer { try? FileManager.default.removeItem(atPath: script) }
    let run = try await runProgram(
      .name("psql"),
      ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", script],
      environment: environment
    )
    guard run.status == .exited(0) else { throw PsqlError(description: run.standardError) }
    let text = run.standardOutput
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}

package struct PsqlError: Error, CustomStringConvertible {
  package let description: String
}
