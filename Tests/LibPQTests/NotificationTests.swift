import LibPQ
import TestSupport
import Testing

@Suite struct NotificationTests {
  @Test func aWaitEndsWithANotification() async throws {
    try await TestCluster.withDatabase { db in
      let parameters = ConnectionParameters(database: db.conninfo)
      let listener = try Connection(parameters, canceller: Canceller())
      let other = try Connection(parameters, canceller: Canceller())
      try listener.listen(to: "a \"channel\"")
      #expect(listener.isListening && !other.isListening)
      #expect(try !listener.waitForNotification(for: .milliseconds(1)))
      #expect(listener.silence() != nil)
      let notify = "NOTIFY \"a \"\"channel\"\"\""
      try other.execute(notify)
      #expect(try listener.waitForNotification(for: .seconds(60)))
      #expect(try !listener.waitForNotification(for: .milliseconds(1)))

      // One that comes with the answer to a statement counts as well.
      try other.execute(notify)
      try await until {
        try listener.execute("SELECT 1")
        return listener.silence() == nil
      }

      let silence = try #require(listener.silence())
      let waiting = Task { await silence.wait(for: .seconds(3600)) }
      try other.execute(notify)
      await waiting.value
      // What has arrived at the socket is not read yet.
      #expect(try listener.waitForNotification(for: .seconds(60)))

      listener.canceller.cancel()
      #expect(throws: PostgresError.self) { try listener.waitForNotification(for: .seconds(3600)) }
    }
  }
}
