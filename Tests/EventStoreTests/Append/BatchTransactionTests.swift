import LibPQ
import TestSupport
import Testing

@testable import EventStore

/// After a crash the server may assign the id of a transaction that it never wrote to disk to another one.
@Suite struct BatchTransactionTests {
  /// If no COMMIT was sent, nothing was committed, whatever is known of the id: the batch must be sent again.
  @Test func aCommitOfAnotherTransactionIsNotOurs() async throws {
    try await withStore { db, store in
      let id = try await db.psql("SELECT pg_current_xact_id()")
      let fates = try await store.perform { store in
        var transaction = BatchTransaction()
        transaction.id = id
        let table = try store.appendStatements().table
        let unsent = try transaction.fate(in: table, store.connection, until: .now + .seconds(60))
        transaction.isCommitSent = true
        return [unsent, try transaction.fate(in: table, store.connection, until: .now + .seconds(60))]
      }
      // Where COMMIT was sent and no event was new, there is nothing to lose.
      #expect(fates == [.rolledBack, .committed])
    }
  }

  /// Only the session that the lost connection left is ended.
  @Test(arguments: [true, false]) func theSessionThatIsEndedIsOurs(isOurs: Bool) async throws {
    try await withStore { _, store in
      let isEnded = try await store.perform { store in
        let left = try store.session.another().connection()
        _ = try left.query("BEGIN")
        let row = try left.query("SELECT current_timestamp AS time, pg_current_xact_id()::text AS id")
        let start = row[0].timestamp("time")
        var transaction = BatchTransaction()
        transaction.id = row[0].string("id")
        transaction.start = isOurs ? start : Timestamp(microseconds: start.microseconds - 1)
        let table = try store.appendStatements().table
        _ = try transaction.fate(in: table, store.connection, until: .now + .seconds(isOurs ? 60 : 1))
        let answer = try? left.query("SELECT 1").int32(0, 0)
        return answer == nil
      }
      #expect(isEnded == isOurs)
    }
  }
}
