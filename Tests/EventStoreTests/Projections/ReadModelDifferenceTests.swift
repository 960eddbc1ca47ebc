import EventStore
import Testing

/// Which rows the comparison of a new generation with the live one finds equal.
@Suite struct ReadModelDifferenceTests {
  /// A projection with a table of the given columns, which one handler fills.
  private func file(_ columns: String, _ values: String, before: String = "") -> String {
    """
    -- @projection model
    -- @create
    \(before)
    CREATE TABLE model (\(columns));
    -- @on Added
    INSERT INTO model VALUES (\(values));
    """
  }

  private static let key = "id bigint PRIMARY KEY"

  /// The types are other objects on each side, or have no "=", or "=" finds different values equal.
  @Test(arguments: [
    ("", "status mood", "'old'", "'new'", "CREATE TYPE mood AS ENUM ('old', 'new');"),
    ("", "status word", "'old'", "'new'", "CREATE DOMAIN word AS text;"),
    ("", "status pair", "(1, 2)", "(1, 3)", "CREATE TYPE pair AS (a int, b int);"),
    ("", "status mood[]", "'{old}'", "'{new}'", "CREATE TYPE mood AS ENUM ('old', 'new');"),
    ("", "status box", "'(1,4),(0,0)'", "'(2,2),(0,0)'", ""),
    ("", "status point", "'(1,1)'", "'(1,2)'", ""),
    ("", "status json", "'1'", "'2'", ""),
    ("", "status numeric", "1.0", "1.00", ""),
    ("", "status interval", "'1 mon'", "'30 days'", ""),
    (key + ", ", "status xml", "'<a/>'", "'<b/>'", ""),
  ])
  func aChangedValueIsSeen(_ key: String, _ column: String, _ old: String, _ new: String, _ type: String)
    async throws
  {
    for key in [key, Self.key + ", "] {
      let prefix = key.isEmpty ? "" : "event.position, "
      try await Shop.open(events: 20) { shop in
        let first = file(key + column, prefix + old, before: type)
        try await shop.rebuild(first)
        let same = try await shop.rebuild(first) { $0.differenceLimit = .rows(0) }
        #expect(same.ending == .live && same.differences.map(\.count) == [0])
        let other = try await shop.rebuild(file(key + column, prefix + new, before: type)) {
          $0.differenceLimit = .rows(0)
        }
        #expect(other.ending == .tooDifferent)
        #expect(other.differences.map(\.count) == [key.isEmpty ? 40 : 20])
        #expect(other.differences.allSatisfy { $0.samples.count == (key.isEmpty ? 2 : 5) })
      }
    }
  }

  /// Another type with the same values is the same; with others it is not.
  @Test(arguments: [("status int", "status bigint"), ("status varchar(9)", "status text")])
  func aColumnOfAnotherTypeIsCompared(_ old: String, _ new: String) async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.rebuild(file("id int PRIMARY KEY, \(old)", "event.position, 1"))
      let key = "id bigint PRIMARY KEY, "
      let changed = try await shop.rebuild(file(key + new, "event.position, 2")) {
        $0.differenceLimit = .rows(0)
      }
      #expect(changed.ending == .tooDifferent && changed.differences.map(\.changed) == [20])
      let same = try await shop.rebuild(file(key + new, "event.position, 1")) {
        $0.differenceLimit = .rows(0)
      }
      #expect(same.ending == .live && same.differences.map(\.count) == [0])
    }
  }

  /// What cannot be compared is different, and is named.
  @Test(arguments: [", id bigint PRIMARY KEY", ", id bigint"])
  func aColumnThatOnlyOneSideHasMakesEveryRowDiffer(_ key: String) async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.rebuild(file("a int, was int\(key)", "1, 2, event.position"))
      let outcome = try await shop.rebuild(file("a int, \"is\" int\(key)", "1, 2, event.position")) {
        $0.differenceLimit = .rows(2)
      }
      #expect(outcome.ending == .tooDifferent)
      let table = try #require(outcome.differences.first)
      #expect(table.loneColumns == ["is", "was"])
      #expect(table.count == (key.hasSuffix("KEY") ? 3 : 6))
    }
  }

  /// Tables that only one generation has count with all their rows; those of others beside the live ones do not.
  @Test func aTableThatOnlyOneSideHasCounts() async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.psql("CREATE TABLE others (n int); INSERT INTO others VALUES (1)")
      let table = file("n bigint", "event.position")
      try await shop.rebuild(
        table.replacing("model (n", with: "former (n").replacing("INTO model", with: "INTO former")
      )
      let outcome = try await shop.rebuild(table) { $0.differenceLimit = .rows(5) }
      #expect(outcome.ending == .tooDifferent)
      #expect(outcome.differences.map(\.table) == ["former", "model"])
      #expect(outcome.differences.map { [$0.liveRows, $0.added, $0.removed] } == [[3, 0, 3], [0, 3, 0]])
      #expect(outcome.differences.allSatisfy { $0.loneColumns.isEmpty })
    }
  }

  /// A key that only the new table has does not match two rows of the live one with one of its own.
  @Test func aKeyOfOneSideAloneMatchesNoRows() async throws {
    try await Shop.open(events: 1) { shop in
      try await shop.rebuild(file("n bigint", "event.position);\nINSERT INTO model VALUES (event.position"))
      let outcome = try await shop.rebuild(file("n bigint PRIMARY KEY", "event.position")) {
        $0.compares = true
      }
      #expect(outcome.differences.map { [$0.liveRows, $0.added, $0.removed, $0.changed] } == [[2, 0, 1, 0]])
    }
  }
}
