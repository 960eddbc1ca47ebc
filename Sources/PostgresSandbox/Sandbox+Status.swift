internal import FoundationEssentials
internal import Glibc
package import SystemPackage

extension Sandbox {
  package struct Status: Sendable {
    package let directory: FilePath
    package let dataDirectory: FilePath

    /// The folder of the socket, also before it exists.
    package let socketDirectory: FilePath

    /// The process of the running postmaster.
    package let processID: Int32?

    /// The version of the server that fits the cluster; nil if there is no cluster yet.
    package let version: String?

    /// Whether a committed transaction survives a crash of the machine.
    package let isDurable: Bool

    /// The size of the folder on disk.
    package let sizeBytes: Int

    package var isRunning: Bool { processID != nil }

    /// Whether the socket is elsewhere, because the folder's path is too long or unsuitable for a socket.
    package var usesShortSocketDirectory: Bool { socketDirectory.removingLastComponent() != directory }
  }

  package func status() async throws -> Status {
    let isCreated = try isCreated()
    let server = isCreated ? try runningServer() : nil
    let hasCluster = try isCreated && exists(data)
    return Status(
      directory: directory,
      dataDirectory: data,
      socketDirectory: server?.socketDirectory ?? socketDirectory,
      processID: server?.processID,
      version: hasCluster ? try? await findBinaries().version : nil,
      isDurable: try isDurable(),
      sizeBytes: isCreated ? try await sizeBytes() : 0
    )
  }

  /// The environment that a client needs, in libpq's variables.
  ///
  /// - Throws: `notRunning` when there is nothing to connect to.
  package func environment() throws -> [(name: String, value: String)] {
    guard try isCreated(), let server = try runningServer() else {
      throw SandboxError(
        .notRunning,
        "the sandbox in \(directory) is not running",
        hint: .start
      )
    }
    return [
      ("PGHOST", server.socketDirectory.string),
      ("PGPORT", String(server.port)),
      ("PGUSER", user.name),
      ("PGDATABASE", Self.databaseName),
    ]
  }

  /// libpq's variables that would override those of `environment()` and lead to another server.
  package static let conflictingVariables = ["PGHOSTADDR", "PGSERVICE"]

  /// The first lines of postmaster.pid; see `LOCK_FILE_LINE_*` in PostgreSQL's src/include/utils/pidfile.h.
  struct Postmaster {
    let processID: Int32
    let port: Int
    let socketDirectory: FilePath

    /// Whether it accepts connections.
    let isReady: Bool
  }

  func runningServer() throws -> Postmaster? {
    guard let postmaster = readPostmasterFile(), isAlive(postmaster.processID) else { return nil }
    return postmaster
  }

  /// Removes the file that a killed server left when its pid now belongs to another process.
  ///
  /// PostgreSQL removes the file itself unless that pid exists, which it takes as a running server.
  func removeStalePostmasterFile() async throws {
    guard let postmaster = readPostmasterFile(), pidExists(postmaster.processID) else { return }
    try await user.shell("rm -f postmaster.pid", in: data)
  }

  func isDurable() throws -> Bool {
    guard let text = try? String(contentsOfFile: settingsFile.string, encoding: .utf8) else { return true }
    return !text.utf8.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("fsync = off".utf8) }
  }

  private func readPostmasterFile() -> Postmaster? {
    let path = data.appending("postmaster.pid").string
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count > 4, let processID = Int32(lines[0]), let port = Int(lines[3]) else { return nil }
    return Postmaster(
      processID: processID,
      port: port,
      socketDirectory: FilePath(String(lines[4])),
      isReady: lines.count > 7 && lines[7].utf8.starts(with: "ready".utf8)
    )
  }

  /// Whether the pid belongs to our postmaster, whose working folder is the data directory.
  private func isAlive(_ processID: Int32) -> Bool {
    guard pidExists(processID) else { return false }
    guard let here = try? FilePath("/proc/\(processID)/cwd").stat(), let data = try? data.stat() else {
      return false
    }
    return here.deviceID == data.deviceID && here.inode == data.inode
  }

  private func pidExists(_ processID: Int32) -> Bool {
    kill(processID, 0) == 0 || errno == EPERM
  }

  private func sizeBytes() async throws -> Int {
    // Files come and go while du runs, so its exit status means nothing.
    let kilobytes = try await user.run("/bin/sh", ["-c", "du -sk . 2>/dev/null"], in: directory)
    return (Int(String(kilobytes.standardOutput.unicodeScalars.prefix { ("0"..."9").contains($0) })) ?? 0)
      * 1024
  }
}
