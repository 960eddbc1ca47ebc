import FoundationEssentials
import TestSupport
import Testing

/// Files of an operator are not emptied, not followed to other places, and not read without end.
@Suite struct OperatorFileTests {
  private static let good = #"{"aggregate_id":"a","event_type":"A","event_data":{}}"#
  private static let bad = #"{"aggregate_id":"a","event_type":"A"}"#

  /// Runs a script in a folder of its own, beside a store; `$annals` is the program.
  private func inFolder(
    _ body: (TestDatabase, (String) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      let folder = "/tmp/annals-test-\(db.name)"
      let variables = db.environment.merging(["annals": "\(AnnalsBinary.path)"]) { $1 }
      func shell(_ script: String) async throws -> ProgramRun {
        try await runShell("cd '\(folder)'\n" + script, environment: variables)
      }
      _ = try await runShell("mkdir '\(folder)'")
      let lines = "printf '%s\\n' '\(Self.good)' '\(Self.bad)' '\(Self.good)' > in"
      let run = try await shell("\"$annals\" init && \(lines)")
      #expect(run.exitCode == 0, "\(run.standardError)")
      try await body(db, shell)
      _ = try await runShell("rm -rf '\(folder)'")
    }
  }

  @Test(arguments: [
    "--from in --rejects in", "--from in --rejects ./in", "--from in --rejects hard",
    "--from - --rejects in < in",
    "--from in --rejects in --skip-lines 1", "--from soft --rejects in",
  ])
  func theInputIsNoRejectsFile(arguments: String) async throws {
    try await inFolder { db, shell in
      let run = try await shell(
        "ln in hard; ln -s in soft; cp in before; \"$annals\" append --max-errors 9 \(arguments); s=$?; cmp in before; exit $s"
      )
      #expect(run.exitCode == 64, "\(run.standardError)")
      #expect(run.standardError.contains("HINT:  "), "\(run.standardError)")
      #expect(run.standardOutput == "")
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }

  /// Opening a FIFO for writing waits for its reader, and an interruption would wait too.
  @Test func aRejectsFIFONeedsAReader() async throws {
    try await inFolder { db, shell in
      let append = "\"$annals\" append --from in --max-errors 9 --rejects pipe"
      var run = try await shell("mkfifo pipe; \(append)")
      #expect(run.exitCode == 1)
      #expect(run.standardError.hasPrefix("annals: error: cannot write pipe: no process reads it\nHINT:  "))
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
      run = try await shell("cat pipe & exec 3<>pipe; \(append); s=$?; exec 3>&-; wait; exit $s")
      #expect(run.exitCode == 5 && run.standardOutput == Self.bad + "\n", "\(run.standardError)")
    }
  }

  @Test func theRejectsOfAnEarlierRunStay() async throws {
    try await inFolder { db, shell in
      let append = "\"$annals\" append --from in --max-errors 9 --rejects"
      var run = try await shell("\(append) out; s=$?; cat out; exit $s")
      #expect(run.exitCode == 5 && run.standardOutput == Self.bad + "\n", "\(run.standardError)")
      run = try await shell("\(append) out; s=$?; cat out; exit $s")
      #expect(run.exitCode == 64 && run.standardOutput == Self.bad + "\n", "\(run.standardError)")
      #expect(run.standardError.contains("the rejects file out exists and is not empty"))
      #expect(try await db.psql("SELECT count(*) FROM events") == "2")
      // As the hint of an interrupted run says.
      run = try await shell("\(append) out --skip-lines 1; s=$?; cat out; exit $s")
      #expect(
        run.exitCode == 5 && run.standardOutput == Self.bad + "\n" + Self.bad + "\n",
        "\(run.standardError)"
      )
      // What mktemp made may be used.
      run = try await shell("\(append) \"$(mktemp -p .)\"")
      #expect(run.exitCode == 5, "\(run.standardError)")
    }
  }

  @Test func aDryRunTouchesNoFile() async throws {
    try await inFolder { _, shell in
      let run = try await shell(
        """
        echo mine > out; ln -s out link
        for file in new out link in; do "$annals" append -n --from in --max-errors 9 --rejects $file || test $? = 5; done
        test ! -e new; cat out; wc -l < in
        """
      )
      #expect(run.standardOutput == "mine\n3\n", "\(run.standardError)")
    }
  }

  @Test func linksAreNotFollowed() async throws {
    try await inFolder { db, shell in
      let run = try await shell(
        "ln -s target link; \"$annals\" append --from in --max-errors 9 --rejects link; s=$?; ls target; exit $s"
      )
      #expect(run.exitCode == 1)
      #expect(run.standardOutput == "")
      #expect(run.standardError.contains("cannot write link: it is a symbolic link"))
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }

  /// If the run continued, a line that cannot be set aside would be lost.
  @Test(arguments: ["", "--batch-size 1", "--batch-size 1 --workers 2", "--batch-size 2"])
  func aFullDiskEndsTheRun(options: String) async throws {
    try await inFolder { db, shell in
      let run = try await shell("\"$annals\" append --from in --max-errors 9 --rejects /dev/full \(options)")
      #expect(run.exitCode == 1, "\(run.standardError)")
      #expect(
        run.standardError.contains("cannot write /dev/full: No space left on device"),
        "\(run.standardError)"
      )
      #expect(!run.standardError.contains("set aside"))
      #expect(try await db.psql("SELECT count(*) < 2 FROM events") == "t")
    }
  }

  @Test(arguments: [
    ("append a A @/dev/zero", "has no end"), ("append a A - < /dev/zero", "has no end"),
    ("append a A @sparse", "is longer than 268,435,455 bytes"),
    ("append a A - < sparse", "is longer than 268,435,455 bytes"),
    ("check-projection /dev/zero", "has no end"),
    ("check-projection sparse", "is longer than 16,777,216 bytes"),
    ("rebuild-projection sparse", "is longer than 16,777,216 bytes"),
    ("project sparse", "is longer than 16,777,216 bytes"),
    ("snapshot show a --reducer sparse", "is longer than 16,777,216 bytes"),
    ("stream a --upcasters /dev/zero", "has no end"),
    ("stream a --layout ./sparse", "is longer than 16,777,216 bytes"),
    ("evolve apply sparse --into x", "is longer than 16,777,216 bytes"),
  ])
  func whatHasNoEndIsRefused(arguments: String, message: String) async throws {
    try await inFolder { db, shell in
      // It must not be the memory that ends it.
      let run = try await shell("truncate -s 300M sparse; ulimit -v 2000000; \"$annals\" \(arguments)")
      #expect(run.exitCode == 65, "\(run.standardError)")
      #expect(run.standardError.contains(message), "\(run.standardError)")
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }

  /// A pipe has no size; it is read as far as the limit.
  @Test func aPipeThatHasNoEndIsRefused() async throws {
    try await inFolder { _, shell in
      let run = try await shell("yes | \"$annals\" check-projection -")
      #expect(run.exitCode == 65)
      #expect(run.standardError.contains("the file on standard input is longer than 16,777,216 bytes"))
    }
  }

  /// Also what an attacker who can write in the folder puts there stays as it is.
  @Test func newFilesTakeTheirNameWhenTheyAreComplete() async throws {
    try await inFolder { _, shell in
      let run = try await shell(
        """
        set -e
        umask 027
        "$annals" verify-versions --manifest m1
        echo old > m2; chmod 604 m2; "$annals" verify-versions --manifest m2
        test "$(sed 1d m1)" = "$(sed 1d m2)"
        echo keep > m3; "$annals" verify-versions --table nonesuch --manifest m3 2> /dev/null || echo $?
        echo theirs > theirs; ln -s theirs m4; "$annals" verify-versions --manifest m4
        test "$(sed 1d m1)" = "$(sed 1d m4)"; cat m3 theirs
        stat -c '%a' m1 m2; ls
        """
      )
      #expect(run.exitCode == 0, "\(run.standardError)")
      #expect(
        run.standardOutput == "4\nkeep\ntheirs\n640\n604\nin\nm1\nm2\nm3\nm4\ntheirs\n",
        "\(run.standardError)"
      )
    }
  }
}
