import FoundationEssentials
import Subprocess
import TestSupport
import Testing

@testable import annals

@Suite struct SandboxCommandTests {
  @Test func theWholeLife() async throws {
    try await withDirectory { directory in
      let annals = { (arguments: [String]) in
        try await AnnalsBinary.run(["sandbox"] + arguments, environment: ["ANNALS_SANDBOX_DIR": directory])
      }
      var run = try await annals(["env"])
      #expect(run.status == .exited(69))
      #expect(run.standardOutput.hasSuffix("\nfalse\n"))
      #expect(run.standardError.contains("not running"))
      #expect(run.standardError.contains("annals sandbox start"))

      run = try await annals(["start", "--no-fsync"])
      #expect(run.status == .exited(0))
      #expect(run.standardOutput + run.standardError == "", "silent on success")

      run = try await annals(["status"])
      #expect(run.standardOutput.hasPrefix("state      running\npid        "))
      #expect(run.standardOutput.contains("\ndurable    false\n"))
      run = try await annals(["status", "-o", "ndjson"])
      #expect(run.standardOutput.hasPrefix(#"{"state":"running","pid":"#))

      run = try await annals(["start"])
      #expect(run.status == .exited(0))
      #expect(run.standardError.contains("not durable"), "asked for more than it got")

      run = try await annals(["stop"])
      #expect(run.status == .exited(0))
      #expect(try await annals(["status"]).standardOutput.hasPrefix("state      stopped\n"))

      run = try await annals(["reset"])
      #expect(run.status == .exited(64))
      #expect(run.standardError.contains("--yes"))
      #expect(try await annals(["reset", "--yes"]).status == .exited(0))
      #expect(try await annals(["status"]).standardOutput.hasPrefix("state      not created\n"))
    }
  }

  @Test func execPassesEverythingThrough() async throws {
    try await withDirectory { directory in
      let exec = { (command: [String], stdin: String) in
        try await AnnalsBinary.run(
          ["sandbox", "exec", "--directory", directory] + command,
          stdin: stdin,
          environment: ["PGHOSTADDR": "192.0.2.1", "PGSERVICE": "nonesuch", "PGDATABASE": "elsewhere"]
        )
      }
      var run = try await exec(["psql", "-XAt"], "SELECT current_database();\n")
      #expect(run.standardOutput == "annals\n", "\(run.standardError)")

      run = try await exec(["sh", "-c", "echo out; echo err >&2; exit 7"], "")
      #expect(run.status == .exited(7))
      #expect(run.standardOutput == "out\n")
      #expect(run.standardError == "err\n")

      #expect(try await exec(["sh", "-c", "kill -TERM $$"], "").status == .exited(128 + 15))
      #expect(try await exec(["--", "printf", "%s", "--directory"], "").standardOutput == "--directory")

      // A TERM that comes to annals alone reaches the command.
      run = try await exec(
        ["sh", "-c", "trap 'echo caught; exit 9' TERM; kill -TERM $PPID; sleep 60 & wait"],
        ""
      )
      #expect(run.status == .exited(9))
      #expect(run.standardOutput == "caught\n")

      run = try await exec(["no-such-command-here"], "")
      #expect(run.status == .exited(127))
      #expect(run.standardError.contains("command not found: no-such-command-here"))
    }
  }

  /// sh reads from the line exactly the text that was quoted.
  @Test(arguments: ["/run/plain", "it's $HOME `id` \"q\" \\ * \n end", ""])
  func envIsQuotedForTheShell(value: String) async throws {
    for shell in [SandboxEnv.Shell.sh, .fish] {
      let script =
        SandboxEnv.script([(name: "PGHOST", value: value)], for: shell)
        + "/usr/bin/env | grep -c ^PGHOSTADDR=; printf %s \"$PGHOST\""
      let run = try await runShell(
        #"exec "$0" -c "$SCRIPT""#.replacing("$0", with: shell.rawValue),
        environment: ["PGHOSTADDR": "192.0.2.1", "SCRIPT": script]
      )
      #expect(run.standardOutput == "0\n" + value, "\(run.standardError)")
    }
  }

  /// The shell's own variables would lead to another server, which exists.
  @Test(arguments: ["", " --directory '", " --shel", " --shell tcsh", " --directory \"$(printf '\\351')\""])
  func envFailsClosed(options: String) async throws {
    try await TestCluster.withDatabase { db in
      let annals = "'\(AnnalsBinary.path)' sandbox env --directory /tmp/annals-test-no-such"
      let option = options.hasSuffix("'") ? " --directory ''" : options
      let variables = db.environment.merging(["PGHOSTADDR": "127.0.0.1"]) { $1 }
      let sh = try await runShell(
        """
        eval "$(\(annals)\(option) 2>/dev/null)" && echo went on
        psql -c 'CREATE TABLE wrong ()' 2>&1 | grep -c is-not-running
        set -e
        eval "$(\(annals)\(option) 2>/dev/null)"
        echo went on
        """,
        environment: variables
      )
      #expect(sh.standardOutput == "1\n" && sh.exitCode == 1, "\(sh.standardError)")
      let fish = try await runShell(
        """
        exec fish -c "\(annals.replacing("env", with: "env --shell fish")) 2>/dev/null | source; and echo went on
        psql -c 'CREATE TABLE wrong ()' 2>&1 | grep -c is-not-running"
        """,
        environment: variables
      )
      #expect(fish.standardOutput == "1\n", "\(fish.standardError)")
      #expect(try await db.psql("SELECT to_regclass('wrong') IS NULL") == "t")
    }
  }

  @Test func helpOfEnvIsNoFailure() async throws {
    let run = try await AnnalsBinary.run(["sandbox", "env", "--help"])
    #expect(run.status == .exited(0) && !run.standardOutput.hasSuffix("false\n"))
  }

  @Test func aFolderWithOtherFilesIsRefused() async throws {
    try await withDirectory { directory in
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try "data".write(toFile: directory + "/precious", atomically: false, encoding: .utf8)
      let run = try await AnnalsBinary.run(["sandbox", "reset", "--yes", "--directory", directory])
      #expect(run.status == .exited(1))
      #expect(run.standardError.contains("is not a sandbox"))
      #expect(FileManager.default.fileExists(atPath: directory + "/precious"))
    }
  }

  @Test(arguments: [["exec"], ["start", "--directory", ""], ["start", "extra"]])
  func usageErrors(arguments: [String]) async throws {
    #expect(try await AnnalsBinary.run(["sandbox"] + arguments).status == .exited(64))
  }

  @Test func helpOfExecIsNotACommand() async throws {
    let run = try await AnnalsBinary.run(["sandbox", "exec", "--help"])
    #expect(run.status == .exited(0))
    #expect(run.standardOutput.contains("USAGE: annals sandbox exec"))
  }
}

private func withDirectory(_ body: (String) async throws -> Void) async throws {
  let directory = "/tmp/annals-test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
  func remove() async throws {
    _ = try await AnnalsBinary.run(["sandbox", "reset", "--yes", "--directory", directory])
    if FileManager.default.fileExists(atPath: directory) {
      try FileManager.default.removeItem(atPath: directory)
    }
  }
  do {
    try await body(directory)
  } catch {
    try await remove()
    throw error
  }
  try await remove()
}
