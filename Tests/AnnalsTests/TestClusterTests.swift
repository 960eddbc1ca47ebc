import TestSupport
import Testing

@Suite struct TestClusterTests {
  @Test func eachTestHasADatabaseOfItsOwn() async throws {
    let name = try await TestCluster.withDatabase { one in
      try await TestCluster.withDatabase { other in
        try await one.psql("CREATE TABLE t (n int)")
        #expect(try await other.psql("SELECT to_regclass('t') IS NULL") == "t")
      }
      #expect(try await one.psql("SELECT current_database()") == one.name)
      #expect(try await one.psql("SELECT 1, NULL, 'a' UNION ALL SELECT 2, 'x', 'b'") == "1||a\n2|x|b")
      await #expect(throws: PsqlError.self) { try await one.psql("SELECT 1/0") }
      return one.name
    }
    let count = try await TestCluster.withDatabase {
      try await $0.psql("SELECT count(*) FROM pg_database WHERE datname = '\(name)'")
    }
    #expect(count == "0")
  }
}
