import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// Environment variables that stand in for options.
@Suite struct MirroredOptionTests {
  @Test func anOptionBeatsItsVariable() async throws {
    try await withEvents { db, _ in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'T', '{}', 1);
        CREATE TABLE other AS TABLE events; UPDATE other SET aggregate_id = 'b';
        """
      )
      func stream(_ arguments: [String], _ variables: [String: String]) async throws -> String {
        let environment = db.environment.merging(variables) { $1 }
        return try await AnnalsBinary.run(["stream"] + arguments, environment: environment).standardOutput
      }
      let variables = ["ANNALS_TABLE": "other", "ANNALS_OUTPUT": "csv"]
      let csv = try await stream([], variables)
      #expect(csv.hasPrefix("position,aggregate_id,") && csv.contains(",b,"))
      let lines = try await stream(["-o", "ndjson", "--table", "events"], variables)
      #expect(lines.hasPrefix("{") && lines.contains(#""aggregate_id":"a""#))
      let unset = try await stream([], ["ANNALS_TABLE": "", "ANNALS_OUTPUT": ""])
      #expect(unset.hasPrefix("POSITION"))
    }
  }

  @Test func theVariableCountsWhereverOutputIsAnOption() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (id uuid PRIMARY KEY, aggregate_id text, event_type text, event_data jsonb,
          version int, timestamp timestamptz, position bigint GENERATED ALWAYS AS IDENTITY UNIQUE, UNIQUE (aggregate_id, version));
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, timestamp)
        SELECT gen_random_uuid(), 'a', 'A', jsonb_build_object('n', i), i, now()
        FROM generate_series(1, 2) AS i;
        """
      )
      let upcaster = "-- @upcaster u\n-- @event A\n-- @data\nSELECT event.event_data;\n"
      for command in [
        ["snapshot", "show", "a", "--diff", "1", "2"], ["snapshot", "show", "a", "--blame"],
        ["snapshot", "show", "a"], ["evolve", "plan", "-"],
      ] {
        for format in ["json", "ndjson", "csv"] {
          let byOption = try await AnnalsBinary.run(
            command + ["-o", format],
            stdin: command.contains("-") ? upcaster : "",
            environment: db.environment
          )
          let byVariable = try await AnnalsBinary.run(
            command,
            stdin: command.contains("-") ? upcaster : "",
            environment: db.environment.merging(["ANNALS_OUTPUT": format]) { $1 }
          )
          #expect(byOption.exitCode == 0, "\(command): \(byOption.standardError)")
          // Of a plan in JSON, the estimate of the time differs from run to run.
          let isSame =
            command[0] == "evolve" && format == "json"
            ? byVariable.standardOutput.hasPrefix("{") : byVariable.standardOutput == byOption.standardOutput
          #expect(isSame, "\(command) \(format): \(byVariable.standardOutput)")
        }
      }
    }
  }

  @Test(arguments: [
    (["ANNALS_TABLE": "a.b.c"], "ANNALS_TABLE: 'a.b.c' is not the name of a table"),
    (["ANNALS_OUTPUT": "xml"], "ANNALS_OUTPUT: 'xml' is not an output format"),
  ])
  func aWrongVariableIsNamed(variables: [String: String], message: String) async throws {
    let run = try await AnnalsBinary.run(["stream"], environment: variables)
    #expect(run.exitCode == 64)
    #expect(run.standardError.hasPrefix("annals: error: \(message)"))
  }

  @Test func errorsAreInTheFormatOfTheVariable() async throws {
    let run = try await AnnalsBinary.run(["stream", "--nonesuch"], environment: ["ANNALS_OUTPUT": "json"])
    #expect(run.standardError.hasPrefix(#"{"error":"unknown option"#))
  }

  @Test func theManualListsThem() throws {
    let page = try SourceTree.read("man/annals.1")
    for option in MirroredOption.allCases {
      #expect(
        page.contains(".It Ev \(option.variable)\n"),
        "annals(1), ENVIRONMENT, lacks \(option.variable)"
      )
    }
  }
}
