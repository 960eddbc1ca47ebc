import TestSupport
import Testing

/// Whatever has handlers or sections for types names those that no event has.
@Suite struct UnknownTypesTests {
  private static let files = [
    "p.sql": """
    -- @projection p
    -- @create
    CREATE TABLE p (id text);
    -- @on OrderShiped, OrderPlaced
    INSERT INTO p VALUES (event.aggregate_id);
    """,
    "r.sql": """
    -- @reducer r
    -- @on OrderPlaced
    SELECT state;
    -- @on OrderShiped
    SELECT state || event.event_data;
    """,
    "u.sql": "-- @upcaster u\n-- @rename OrderShipped OrderShiped",
  ]

  @Test func eachCommandNamesThemOnce() async throws {
    let run = try await shell(
      """
      annals rebuild-projection p.sql 2>/dev/null
      annals project --once p.sql; echo $?
      annals replay --into q p.sql; echo $?
      annals replay -n --into q2 p.sql | head -0; echo $?
      annals snapshot show order-1 --reducer r.sql; echo $?
      annals snapshot show order-1 --reducer r.sql --strict; echo $?
      annals snapshot take --all --reducer r.sql; echo $?
      annals snapshot show order-1; echo $?
      """
    )
    let inProjection =
      "annals: p.sql:4: the store has no event of type 'OrderShiped'; did you mean 'OrderShipped'?\n"
    let inReducer =
      "annals: r.sql:4: the store has no event of type 'OrderShiped'; did you mean 'OrderShipped'?\n"
    #expect(
      run == """
        \(inProjection)0
        \(inProjection)0
        \(inProjection)0
        \(inReducer){}
        0
        \(inReducer)2
        \(inReducer)0
        {"n": 2}
        0

        """
    )
  }

  /// What upcasters make of the types counts, and no table is read whole for it.
  @Test func upcastTypesAndTablesWithoutAnIndex() async throws {
    let run = try await shell(
      """
      annals snapshot show order-1 --reducer r.sql --upcasters u.sql; echo $?
      psql -Xqc 'DROP INDEX events_event_type_position_idx'
      annals snapshot show order-1 --reducer r.sql --strict; echo $?
      """
    )
    #expect(run == "{\"n\": 2}\n0\n{}\n0\n")
  }

  /// Runs a script; standard error is in its output.
  private func shell(_ script: String) async throws -> String {
    let writing = Self.files.map { "cat >\($0) <<'END'\n\($1)\nEND\n" }.joined()
    var output = ""
    try await TestCluster.withDatabase { db in
      let run = try await AnnalsBinary.run(["init"], environment: db.environment)
      try #require(run.exitCode == 0, "\(run.standardError)")
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES
          ('order-1', 'OrderPlaced', '{"n": 1}', 1), ('order-1', 'OrderShipped', '{"n": 2}', 2)
        """
      )
      output = try await runShell(
        """
        exec 2>&1
        ANNALS='\(AnnalsBinary.path)'; annals() { "$ANNALS" "$@"; }
        folder=$(mktemp -d) && cd "$folder" || exit
        trap 'rm -rf "$folder"' EXIT
        \(writing)\(script)
        """,
        environment: db.environment
      ).standardOutput
    }
    return output
  }
}
