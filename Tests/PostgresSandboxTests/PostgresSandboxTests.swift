import FoundationEssentials
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import PostgresSandbox

@Suite struct SandboxLifecycleTests {
  @Test func startsOnceHoweverOftenAsked() async throws {
    try await withSandbox { sandbox in
      #expect(try await sandbox.status().isRunning == false)
      #expect(try await sandbox.start() == .started)
      let first = try await sandbox.status()
      #expect(try await sandbox.start() == .alreadyRunning)
      #expect(try await sandbox.status().processID == first.processID)
      #expect(first.isDurable)
      #expect(first.sizeBytes > 1 << 20)
      let database = try database(of: sandbox)
      #expect(try await database.psql("SELECT current_database(), current_setting('fsync')") == "annals|on")
      #expect(
        try await database.psql(
          """
          SELECT pg_encoding_to_char(encoding), current_setting('listen_addresses'),
            current_setting('synchronous_commit')
          FROM pg_database WHERE datname = 'annals'
          """
        ) == "UTF8||on"
      )
    }
  }

  @Test func twoStartsAtOnceMakeOneServer() async throws {
    try await withSandbox { sandbox in
      async let one = sandbox.start()
      async let other = sandbox.start()
      let outcomes = try await [one, other]
      #expect(outcomes.filter { $0 == .started }.count == 1)
      #expect(try await sandbox.status().isRunning)
    }
  }

  @Test func stopKeepsTheData() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start(durable: false)
      try await database(of: sandbox).psql("CREATE TABLE kept AS SELECT 42 AS n")
      #expect(try await sandbox.stop())
      #expect(try await sandbox.stop() == false)
      #expect(throws: SandboxError.self) { try sandbox.environment() }
      try await sandbox.start(durable: false)
      #expect(try await database(of: sandbox).psql("SELECT n FROM kept") == "42")
    }
  }

  @Test func startsAfterThePostmasterWasKilled() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start()
      let database = try database(of: sandbox)
      try await database.psql("CREATE TABLE kept AS SELECT 42 AS n")
      let killed = try #require(try await sandbox.status().processID)
      #expect(kill(killed, SIGKILL) == 0)
      try await until { try await !sandbox.status().isRunning }
      #expect(try await sandbox.start() == .started)
      #expect(try await sandbox.status().processID != killed)
      #expect(try await database.psql("SELECT n FROM kept") == "42")
    }
  }

  /// After a reboot the pid in postmaster.pid can be anybody's.
  @Test func startsWhenAnotherProcessHasThePidOfAKilledServer() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start(durable: false)
      let path = sandbox.data.appending("postmaster.pid").string
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(
        separator: "\n",
        omittingEmptySubsequences: false
      )
      try await sandbox.stop()
      let stale = (["\(getpid())"] + lines.dropFirst()).joined(separator: "\n")
      try await sandbox.user.shell("cat > postmaster.pid", in: sandbox.data, input: stale)
      #expect(try await sandbox.status().isRunning == false)
      #expect(try await sandbox.start(durable: false) == .started)
    }
  }

  @Test func anInterruptedFirstStartIsDoneAgain() async throws {
    try await withSandbox { sandbox in
      try sandbox.createDirectory()
      try await sandbox.adoptDirectory()
      let halfDone = sandbox.directory.appending("data.new.1")
      try await sandbox.user.shell("mkdir data.new.1; echo 15 > data.new.1/PG_VERSION", in: sandbox.directory)
      #expect(try await sandbox.start(durable: false) == .started)
      #expect(try sandbox.exists(halfDone) == false)
    }
  }

  @Test func withoutFsyncTheStatusSaysSo() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start(durable: false)
      #expect(try await sandbox.status().isDurable == false)
      let settings = """
        SELECT current_setting('fsync'), current_setting('synchronous_commit'),
          current_setting('full_page_writes')
        """
      #expect(try await database(of: sandbox).psql(settings) == "off|off|off")
      try await sandbox.stop()
      try await sandbox.start()
      #expect(try await sandbox.status().isDurable)
      #expect(try await database(of: sandbox).psql(settings) == "on|on|on")
    }
  }

  @Test func resetDeletesTheClusterAndNothingElse() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start(durable: false)
      let other = sandbox.directory.appending("notes.txt")
      try await sandbox.user.shell("echo mine > notes.txt", in: sandbox.directory)
      try await sandbox.reset()
      #expect(try await sandbox.status().isRunning == false)
      #expect(try sandbox.exists(sandbox.data) == false)
      #expect(try sandbox.exists(other))
      #expect(try await sandbox.start(durable: false) == .started)
    }
  }

  @Test func aServerThatCannotStartShowsItsLog() async throws {
    let sandbox = try await Sandbox(directory: temporaryDirectory(), settings: ["shared_buffers": "nonsense"])
    await #expect {
      try await sandbox.start(durable: false)
    } throws: { error in
      let error = try #require(error as? SandboxError)
      return error.code == .startFailed && error.detail?.contains("shared_buffers") == true
    }
    try await sandbox.remove()
  }
}

@Suite struct SandboxDirectoryTests {
  @Test(arguments: [String(repeating: "d", count: 120), "it's, odd"])
  func longOrOddDirectoriesGetAShortSocketFolder(name: String) async throws {
    try await withSandbox(temporaryDirectory().appending(name)) { sandbox in
      try await sandbox.start(durable: false)
      let status = try await sandbox.status()
      #expect(status.usesShortSocketDirectory)
      #expect(status.socketDirectory.string.hasPrefix("/tmp/annals-"))
      #expect(try await database(of: sandbox).psql("SELECT 1") == "1")
      try await sandbox.reset()
      #expect(try sandbox.exists(status.socketDirectory) == false)
    }
  }

  @Test func aFolderWithOtherFilesIsRefused() async throws {
    let directory = temporaryDirectory()
    let files = FileManager.default
    try files.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
    let file = directory.appending("precious").string
    try "data".write(toFile: file, atomically: false, encoding: .utf8)
    let sandbox = try await Sandbox(directory: directory)
    for action in [{ try await sandbox.start() == .started }, { try await sandbox.stop() }] {
      await #expect { _ = try await action() } throws: { ($0 as? SandboxError)?.code == .notASandbox }
    }
    await #expect { try await sandbox.reset() } throws: { ($0 as? SandboxError)?.code == .notASandbox }
    #expect(try files.contentsOfDirectory(atPath: directory.string) == ["precious"])
    try files.removeItem(atPath: directory.string)
  }

  @Test(arguments: [
    (["ANNALS_SANDBOX_DIR": "/a", "XDG_DATA_HOME": "/x", "HOME": "/h"], true, "/a"),
    (["XDG_DATA_HOME": "/x", "HOME": "/h"], true, "/var/lib/annals/sandbox"),
    (["XDG_DATA_HOME": "/x", "HOME": "/h"], false, "/x/annals/sandbox"),
    (["XDG_DATA_HOME": "relative", "HOME": "/h"], false, "/h/.local/share/annals/sandbox"),
    (["ANNALS_SANDBOX_DIR": "", "HOME": "/h"], false, "/h/.local/share/annals/sandbox"),
  ])
  func defaultDirectory(environment: [String: String], isRoot: Bool, expected: String) throws {
    let directory = try Sandbox.defaultDirectory(environment: environment, isRoot: isRoot)
    #expect(directory == FilePath(expected))
  }

  @Test func withoutHomeTheDirectoryMustBeNamed() {
    #expect(throws: SandboxError.self) { try Sandbox.defaultDirectory(environment: [:], isRoot: false) }
  }
}

@Suite struct ServerBinariesTests {
  @Test func missingBinariesComeWithTheLineThatInstallsThem() async throws {
    await #expect {
      _ = try await ServerBinaries.find(environment: ["PATH": "/nonexistent"], debianRoot: "/nonexistent")
    } throws: { error in
      let error = try #require(error as? SandboxError)
      return error.code == .binariesMissing && error.hint?.description.contains("install postgresql") == true
    }
  }

  /// A PATH that holds nothing but a link to initdb, as a container's /usr/local/bin may.
  @Test func aLinkInPathLeadsToTheInstallation() async throws {
    let installed = try await ServerBinaries.find()
    let folder = temporaryDirectory()
    let files = FileManager.default
    try files.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    try files.createSymbolicLink(
      atPath: folder.appending("initdb").string,
      withDestinationPath: installed.initdb.string
    )
    let found = try await ServerBinaries.find(
      environment: ["PATH": folder.string],
      debianRoot: "/nonexistent"
    )
    #expect(found.version == installed.version)
    #expect(found.folder != folder)
    try files.removeItem(atPath: folder.string)
  }

  @Test func anotherMajorVersionIsRefused() async {
    await #expect { _ = try await ServerBinaries.find(majorVersion: "9") } throws: {
      ($0 as? SandboxError)?.code == .versionMismatch
    }
  }
}

// MARK: - Help

private func temporaryDirectory() -> FilePath {
  FilePath("/tmp/annals-test-\(String(UInt64.random(in: .min ... .max), radix: 36))")
}

private func withSandbox(
  _ directory: FilePath = temporaryDirectory(),
  _ body: (Sandbox) async throws -> Void
) async throws {
  let sandbox = try await Sandbox(directory: directory)
  do {
    try await body(sandbox)
  } catch {
    try await sandbox.remove()
    throw error
  }
  try await sandbox.remove()
}

private func database(of sandbox: Sandbox) throws -> TestDatabase {
  let variables = try sandbox.environment().map { ($0.name, $0.value) }
  return TestDatabase(name: Sandbox.databaseName, environment: Dictionary(uniqueKeysWithValues: variables))
}

extension Sandbox {
  fileprivate func remove() async throws {
    try await reset()
    // The first folder under /tmp: a test may have gone deeper.
    let top = FilePath("/tmp").appending(directory.components.dropFirst().first!)
    try FileManager.default.removeItem(atPath: top.string)
  }
}
