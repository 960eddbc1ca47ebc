internal import FoundationEssentials
internal import Subprocess
internal import SystemPackage

/// One PostgreSQL installation: a folder with `initdb`, `pg_ctl` and `postgres`.
struct ServerBinaries: Sendable {
  let folder: FilePath

  /// In the server's form: `15.14`.
  let version: String

  var majorVersion: String { String(version.unicodeScalars.prefix { ("0"..."9").contains($0) }) }
  var initdb: FilePath { folder.appending("initdb") }
  var pgCtl: FilePath { folder.appending("pg_ctl") }
  var postgres: FilePath { folder.appending("postgres") }

  /// Finds an installation: in PATH, in the folder of `pg_config`, then where Debian keeps them, highest first.
  ///
  /// - Parameter majorVersion: The version that made an existing cluster; no other can start it.
  static func find(
    majorVersion: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    debianRoot: String = "/usr/lib/postgresql"
  ) async throws -> ServerBinaries {
    var others: [ServerBinaries] = []
    for folder in await candidates(environment, debianRoot) where isInstallation(folder) {
      guard let binaries = await ServerBinaries(folder: folder) else { continue }
      if majorVersion == nil || majorVersion == binaries.majorVersion { return binaries }
      others.append(binaries)
    }
    if let majorVersion, let other = others.first {
      throw SandboxError(
        .versionMismatch,
        "the sandbox was made by PostgreSQL \(majorVersion), which is not installed any more",
        detail: "Found PostgreSQL \(other.version) in \(other.folder).",
        hint: .installOrReset(majorVersion: majorVersion)
      )
    }
    throw SandboxError(
      .binariesMissing,
      "cannot find the PostgreSQL server",
      detail: "Looked for initdb, pg_ctl and postgres in PATH, in pg_config --bindir and in \(debianRoot).",
      hint: "Install it: \(installCommand)"
    )
  }

  private init?(folder: FilePath) async {
    let result = try? await Subprocess.run(
      .path(folder.appending("postgres")),
      arguments: ["--version"],
      output: .string(limit: 4096)
    )
    // postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
    let words = result?.standardOutput.unicodeScalars.split(whereSeparator: \.properties.isWhitespace)
    guard let words, words.count >= 3 else {
      return nil
    }
    self.folder = folder
    self.version = String(words[2])
  }

  private static var installCommand: String {
    (ServerUser.isRoot ? "" : "sudo ") + "apt-get install postgresql"
  }

  private static func candidates(_ environment: [String: String], _ debianRoot: String) async -> [FilePath] {
    let path = (environment["PATH"] ?? "").unicodeScalars.split(separator: ":").map { FilePath(String($0)) }
    // A link in PATH, such as /usr/local/bin/initdb, leads to the folder with the other programs.
    var folders = path.flatMap { [$0, resolvingLinks($0.appending("initdb")).removingLastComponent()] }
    let pgConfig = try? await Subprocess.run(
      .name("pg_config"),
      arguments: ["--bindir"],
      environment: .inherit.updating(["PATH": environment["PATH"] ?? ""]),
      output: .string(limit: 4096)
    )
    if let folder = pgConfig?.standardOutput.trimmed, !folder.isEmpty { folders.append(FilePath(folder)) }
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debianRoot)) ?? []
    folders += versions.compactMap(Int.init).sorted(by: >).map { FilePath("\(debianRoot)/\($0)/bin") }
    return folders
  }

  private static func isInstallation(_ folder: FilePath) -> Bool {
    ["initdb", "pg_ctl", "postgres"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: folder.appending($0).string)
    }
  }

  private static func resolvingLinks(_ path: FilePath) -> FilePath {
    var path = path
    for _ in 0..<40 {
      guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path.string) else {
        break
      }
      path = path.removingLastComponent().pushing(FilePath(target)).lexicallyNormalized()
    }
    return path
  }
}
