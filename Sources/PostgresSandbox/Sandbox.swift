internal import FoundationEssentials
package import SystemPackage

/// A private PostgreSQL cluster in its own folder, reached only through a Unix socket.
///
/// The folder has a marker file, `data` (the cluster), `socket` and `server.log`. A cluster is built in
/// `data.new.*` and renamed when it is complete, so that `data` is never incomplete. A process that starts, stops or
/// resets the sandbox holds a lock on the folder.
package struct Sandbox: Sendable {
  package let directory: FilePath

  /// Further server settings, such as `max_connections`.
  let settings: [String: String]
  let user: ServerUser

  package static let databaseName = "annals"
  static let port = 5432

  var data: FilePath { directory.appending("data") }
  var log: FilePath { directory.appending("server.log") }
  var marker: FilePath { Self.marker(in: directory) }
  var settingsFile: FilePath { data.appending("annals.conf") }
  var socketDirectory: FilePath { Self.socketDirectory(for: directory, userID: user.userID) }

  private static func marker(in directory: FilePath) -> FilePath { directory.appending("annals-sandbox") }

  package init(directory: FilePath? = nil, settings: [String: String] = [:]) async throws {
    let path =
      try directory
      ?? Self.defaultDirectory(
        environment: ProcessInfo.processInfo.environment,
        isRoot: ServerUser.isRoot
      )
    let here = FilePath(FileManager.default.currentDirectoryPath)
    let folder = here.pushing(path).lexicallyNormalized()
    self.directory = folder
    self.settings = settings
    self.user = try await ServerUser.current(owner: try? Self.marker(in: folder).stat().userID.rawValue)
  }

  /// The default folder of the sandbox.
  package static func defaultDirectory(environment: [String: String], isRoot: Bool) throws -> FilePath {
    if let directory = environment["ANNALS_SANDBOX_DIR"], !directory.isEmpty { return FilePath(directory) }
    // The user that runs the server cannot enter root's home.
    if isRoot { return "/var/lib/annals/sandbox" }
    // A relative path in XDG_DATA_HOME must be ignored: XDG Base Directory Specification 0.8.
    if let directory = environment["XDG_DATA_HOME"], directory.utf8.first == UInt8(ascii: "/") {
      return FilePath(directory).appending("annals/sandbox")
    }
    guard let home = environment["HOME"], home.utf8.first == UInt8(ascii: "/") else {
      throw SandboxError(
        .directoryUnusable,
        "no folder for the sandbox: HOME is not set",
        hint: .nameFolder
      )
    }
    return FilePath(home).appending(".local/share/annals/sandbox")
  }

  /// The folder of the server's socket: inside the sandbox, or a short one if that path is not possible.
  ///
  /// A socket's path has at most 107 bytes (`sun_path`), and both the server's
  /// `unix_socket_directories` and PGHOST are lists in which commas, quotes and spaces have a meaning.
  static func socketDirectory(for directory: FilePath, userID: UInt32) -> FilePath {
    let inside = directory.appending("socket")
    let isPlain = inside.string.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "/._-+".utf8.contains($0)
      }
    }
    if isPlain, inside.appending(".s.PGSQL.\(port)").string.utf8.count <= 107 { return inside }
    // FNV-1a: Fowler, Noll, Vo, RFC 9923. Unlike Hasher it gives the same name in each process.
    let hash = directory.string.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return FilePath("/tmp/annals-\(userID)-\(String(hash, radix: 16))")
  }

  // MARK: - Start

  package enum StartOutcome: Sendable { case started, alreadyRunning }

  /// Starts the server, and creates the cluster first if there is none.
  ///
  /// - Parameter durable: False trades safety after a crash of the machine for speed.
  @discardableResult
  package func start(durable: Bool = true) async throws -> StartOutcome {
    try createDirectory()
    return try await withLock {
      try await adoptDirectory()
      if try await isReady() { return .alreadyRunning }
      let binaries = try await findBinaries()
      if try !exists(data) { try await createCluster(binaries, durable: durable) }
      try await removeStalePostmasterFile()
      try await configure(binaries, durable: durable)
      try await createSocketDirectory()
      try await startServer(binaries)
      return .started
    }
  }

  /// Whether the server runs; waits for one that is still starting, after an interrupted start.
  private func isReady() async throws -> Bool {
    while let server = try runningServer() {
      if server.isReady { return true }
      try await Task.sleep(for: .milliseconds(100))
    }
    return false
  }

  /// Installed binaries that fit the cluster, if there is one yet.
  func findBinaries() async throws -> ServerBinaries {
    let majorVersion = try? String(contentsOfFile: data.appending("PG_VERSION").string, encoding: .utf8)
    return try await ServerBinaries.find(majorVersion: majorVersion?.trimmed)
  }

  private func createCluster(_ binaries: ServerBinaries, durable: Bool) async throws {
    let new = directory.appending("data.new.\(ProcessInfo.processInfo.processIdentifier)")
    try await removeHalfDone()
    var initdb = ToolOutput(isSuccess: false, standardOutput: "", standardError: "")
    for locale in ["C.UTF-8", "C"] {
      initdb = try await user.run(
        binaries.initdb,
        ["-D", new.string, "-U", user.name, "--auth=trust", "--encoding=UTF8", "--locale=\(locale)"]
          + (durable ? [] : ["--no-sync"]),
        in: directory
      )
      if initdb.isSuccess || !initdb.standardError.utf8.contains("invalid locale name".utf8) { break }
    }
    guard initdb.isSuccess else {
      throw SandboxError(
        .startFailed,
        "cannot make a PostgreSQL cluster in \(directory)",
        detail: initdb.standardError.trimmed
      )
    }
    // Single-user mode exits with 0 even if the statement failed.
    let single = try await user.run(
      binaries.postgres,
      ["--single", "-D", new.string] + (durable ? [] : ["-F"]) + ["postgres"],
      in: directory,
      input: "CREATE DATABASE \(Self.databaseName)\n"
    )
    let complaints = single.standardError.unicodeScalars.split(separator: "\n").filter { line in
      ["ERROR:", "FATAL:", "PANIC:"].contains { line.contains($0.unicodeScalars) }
    }
    guard single.isSuccess, complaints.isEmpty else {
      throw SandboxError(
        .startFailed,
        "cannot create the database \(Self.databaseName)",
        detail: single.standardError.trimmed
      )
    }
    try await user.shell(
      "echo \"include 'annals.conf'\" >> \"$1/postgresql.conf\" && mv \"$1\" data",
      [new.string],
      in: directory
    )
  }

  /// Removes what an interrupted start left; its initdb may still run for a moment and write there.
  private func removeHalfDone() async throws {
    let script = """
      tries=0
      while [ $tries -lt 100 ] && ! rm -rf data.new.* 2>/dev/null; do tries=$((tries + 1)); sleep 0.1; done
      rm -rf data.new.*
      """
    try await user.shell(script, in: directory)
  }

  /// Writes the settings for the next start.
  private func configure(_ binaries: ServerBinaries, durable: Bool) async throws {
    if durable, try !isDurable() {
      // Data that was written without fsync may still be in memory only.
      let sync = try await user.run(binaries.initdb, ["--sync-only", "-D", data.string], in: directory)
      guard sync.isSuccess else {
        throw SandboxError(
          .startFailed,
          "cannot sync the sandbox to disk",
          detail: sync.standardError.trimmed
        )
      }
    }
    var lines = [
      "# Written at each start of the sandbox.",
      "listen_addresses = ''",
      "port = \(Self.port)",
      "unix_socket_directories = '\(socketDirectory)'",
      "unix_socket_permissions = 0700",
    ]
    if !durable { lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"] }
    lines += settings.sorted(by: <).map { "\($0) = '\($1)'" }
    try await user.shell("cat > annals.conf", in: data, input: lines.joined(separator: "\n") + "\n")
  }

  private func createSocketDirectory() async throws {
    try await user.shell("mkdir -p -m 0700 \"$1\"", [socketDirectory.string], in: directory)
    // Under /tmp another user could have created it first, and would then own our socket.
    let status = try socketDirectory.stat(followTargetSymlink: false)
    guard status.type == .directory, status.userID.rawValue == user.userID,
      status.permissions.isDisjoint(with: [.groupReadWriteExecute, .otherReadWriteExecute])
    else {
      throw SandboxError(
        .directoryUnusable,
        "the socket's folder \(socketDirectory) is not private to the user \(user.name)",
        hint: .removeOrChooseFolder
      )
    }
    // A killed server left the lock beside the socket; it names a pid that may now be another process's.
    try await user.shell("rm -f .s.PGSQL.*", in: socketDirectory)
  }

  private func startServer(_ binaries: ServerBinaries) async throws {
    var tail = ""
    // After a kill -9 of the postmaster its children may need a moment to notice and end.
    for _ in 0..<20 {
      try await user.shell("if [ -f server.log ]; then mv server.log server.log.old; fi", in: directory)
      // Relative names, because pg_ctl pastes them into a shell command.
      let start = try await user.run(
        binaries.pgCtl,
        ["start", "-D", "data", "-l", "server.log", "-w", "-t", "\(startTimeoutSeconds)", "-s"],
        in: directory
      )
      if start.isSuccess { return }
      tail = (try? logTail()) ?? start.standardError.trimmed
      guard tail.utf8.contains("pre-existing shared memory block".utf8) else { break }
      try await Task.sleep(for: .milliseconds(500))
    }
    throw SandboxError(
      .startFailed,
      "the sandbox's server did not start",
      detail: tail,
      hint: "The whole log is in \(log)."
    )
  }

  private func logTail() throws -> String {
    try String(contentsOfFile: log.string, encoding: .utf8)
      .unicodeScalars.split(separator: "\n")
      .suffix(10).map(String.init)
      .joined(separator: "\n")
  }

  // MARK: - Stop and reset

  /// How the server ends: `fast` rolls back and writes all to disk, `immediate` leaves it to crash recovery.
  package enum StopMode: String, Sendable { case fast, immediate }

  /// Stops the server.
  ///
  /// - Returns: False when it was not running.
  @discardableResult
  package func stop(_ mode: StopMode = .fast) async throws -> Bool {
    guard try isCreated() else { return false }
    return try await withLock { try await stopServer(mode) }
  }

  /// Stops the server and deletes the cluster; the marked, empty folder stays.
  package func reset() async throws {
    guard try isCreated() else { return }
    try await withLock {
      try await stopServer(.immediate)
      try await removeHalfDone()
      try await user.shell(
        "rm -rf data server.log server.log.old socket \"$1\"",
        [socketDirectory.string],
        in: directory
      )
    }
  }

  @discardableResult
  private func stopServer(_ mode: StopMode) async throws -> Bool {
    guard let server = try runningServer() else { return false }
    let stop = try await user.run(
      try await findBinaries().pgCtl,
      ["stop", "-D", "data", "-m", mode.rawValue, "-w", "-t", "\(startTimeoutSeconds)", "-s"],
      in: directory
    )
    guard stop.isSuccess else {
      throw SandboxError(
        .stopFailed,
        "the sandbox's server (pid \(server.processID)) did not stop",
        detail: stop.standardError.trimmed
      )
    }
    return true
  }
}

/// Recovery after a crash can take minutes; a healthy server needs less than a second.
private let startTimeoutSeconds = 300
