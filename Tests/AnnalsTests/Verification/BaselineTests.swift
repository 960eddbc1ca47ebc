import Foundation
import TestSupport
import Testing

/// A store with faults that are known can still be watched every night.
@Suite struct BaselineTests {
  @Test func whatIsKnownIsLeftOutAndWhatIsNewIsFound() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 5)
      try await db.psql("DELETE FROM events WHERE aggregate_id = 's-1' AND version = 3")
      try await withTemporaryDirectory { folder in
        let file = folder + "/known"
        #expect(try await db.verify("--write-baseline", file) == "gap s-1 3 3\n2")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(
          text.hasPrefix(
            "{\"annals_baseline\":1,\"store\":\"public.events\"}\n{\"kind\":\"gap\",\"aggregate_id\":\"s-1\""
          )
        )
        #expect(text.split(separator: "\n").count == 2)
        #expect(try await db.verify("--baseline", file) == "0")
        let json = try await AnnalsBinary.run(
          ["verify-versions", "--baseline", file, "-o", "json"],
          environment: db.environment
        )
        #expect(
          json.standardOutput.contains(#""status":"clean""#) && json.standardOutput.contains(#""known":1"#)
        )

        // Another stream, and the same gap when it has grown, are new.
        try await db.psql("DELETE FROM events WHERE aggregate_id = 's-2' AND version = 2")
        #expect(try await db.verify("--baseline", file) == "gap s-2 2 2\n2")
        try await db.psql("DELETE FROM events WHERE aggregate_id = 's-1' AND version = 4")
        #expect(try await db.verify("--baseline", file) == "gap s-1 3 4\ngap s-2 2 2\n2")
        #expect(try await db.verify("--write-baseline", file) == "gap s-1 3 4\ngap s-2 2 2\n2")
        #expect(try await db.verify("--baseline", file, "--strict", "--explain") != "2")
      }
    }
  }

  /// An event that was changed may be changed once more.
  @Test func whatAManifestShowsIsNeverKnown() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 1, versions: 2)
      try await withTemporaryDirectory { folder in
        let (manifest, file) = (folder + "/manifest", folder + "/known")
        #expect(try await db.verify("--manifest", manifest) == "0")
        try await db.psql("UPDATE events SET event_data = '{\"other\": 1}' WHERE version = 1")
        #expect(try await db.verify("--against", manifest, "--write-baseline", file).hasSuffix("\n2"))
        #expect(try await db.verify("--against", manifest, "--baseline", file).hasSuffix("\n2"))
      }
    }
  }

  @Test func aWrongFileIsRefused() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 1, versions: 1)
      try await withTemporaryDirectory { folder in
        let file = folder + "/known"
        let header = "{\"annals_baseline\":1,\"store\":\"public.events\"}\n"
        for (text, refusal) in [
          ("", ":1: the line is not the header of a baseline"),
          (header + "{}\n", ":2: the line is not a finding"),
          (header.replacing("public", with: "other"), "not of public.events"),
        ] {
          try text.write(toFile: file, atomically: true, encoding: .utf8)
          let run = try await AnnalsBinary.run(
            ["verify-versions", "--baseline", file],
            environment: db.environment
          )
          #expect(run.exitCode == 65 && run.standardOutput == "", "\(text): \(run.standardError)")
          #expect(run.standardError.contains(refusal), "\(run.standardError)")
        }
        let both = try await db.verify("--baseline", file, "--write-baseline", file)
        let none = try await db.verify("--baseline", folder + "/none")
        #expect(both == "64" && none == "65")
      }
    }
  }
}
