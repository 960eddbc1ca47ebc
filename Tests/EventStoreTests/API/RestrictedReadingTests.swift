import EventStore
import TestSupport
import Testing

/// A store that may only read, and not for long.
@Suite struct RestrictedReadingTests {
  private static let sleeping =
    "-- @reducer slow\n-- @initial\nSELECT '{}'::jsonb;\n-- @on *\nSELECT state FROM pg_sleep(3600);\n"

  private func expectRestricted(_ store: EventStore) async throws {
    await #expect { try await store.append([NewEvent(type: "Added", data: "{}")], to: "a-2") } throws: {
      error in
      (error as? EventStoreError)?.code == .permissionDenied
    }
    let reducer = try Reducer(path: "slow.sql", bytes: Array(Self.sleeping.utf8))
    await #expect { try await store.state(of: "a-1", reducer: reducer) } throws: { error in
      (error as? EventStoreError)?.isOutOfTime == true
    }
    let summary = try await store.summary(ofStream: "a-1")
    #expect(summary?.count == 1)
  }

  private static let event =
    "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a-1', 'Added', '{}', 1)"

  @Test func theServerRefusesWhatWritesAndEndsWhatTakesLong() async throws {
    try await withStore(Self.event) { database, store in
      await store.restrictToReading(statementTimeout: .milliseconds(100), lockTimeout: .milliseconds(50))
      try await expectRestricted(store)
      // A connection that is opened anew is as restricted.
      try await database.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
      )
      _ = try? await store.summary(ofStream: "a-1")
      try await expectRestricted(store)
      try await expectRestricted(store.sibling())
    }
  }

  @Test func behindAPooler() async throws {
    try await withStore(Self.event) { database, _ in
      try await PgBouncer.run(.transaction, to: database) { pooled in
        let store = try EventStore(connecting: pooled.conninfo)
        await store.restrictToReading(statementTimeout: .milliseconds(100), lockTimeout: .milliseconds(50))
        try await expectRestricted(store)
      }
    }
  }

  @Test func aLockIsNotWaitedForLong() async throws {
    try await withStore(Self.event) { database, store in
      await store.restrictToReading(statementTimeout: .seconds(60), lockTimeout: .milliseconds(50))
      _ = try await store.summary(ofStream: "a-1")
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          _ = try? await database.psql(
            "BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600)"
          )
        }
        try await until {
          let locks =
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'events'::regclass"
          return try await TestDatabase(name: database.name, environment: database.environment).psql(locks)
            == "1"
        }
        await #expect { try await store.summary(ofStream: "a-1") } throws: { error in
          (error as? EventStoreError)?.isOutOfTime == true
        }
        try await database.psql(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        )
      }
    }
  }
}
