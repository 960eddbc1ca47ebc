import EventStore
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite struct BulkAppendTests {
  /// Lines of interleaved streams, some with ids, times and metadata of their own, more than one chunk of them.
  static func lines(_ count: Int) -> [String] {
    (0..<count).map { n in
      var line = #"{"aggregate_id":"order-\#(n % 977)","event_type":"T\#(n % 5)","event_data":{"n":\#(n)}"#
      if n % 2 == 0 { line += #","id":"\#(id(n))""# }
      if n % 3 == 0 { line += #","timestamp":"2020-01-01T00:00:00.\#(n % 900 + 100)Z""# }
      if n % 5 == 0 { line += #","metadata":{"user":"é\#(n)"}"# }
      return line + "}"
    }
  }

  static func id(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  @Test func everyLineIsStoredInOrder() async throws {
    try await withStore { db, store in
      let lines = Self.lines(25_000)
      let result = try await store.append(text: lines.joined(separator: "\r\n"))
      #expect((result.appendedCount, result.existingCount, result.rejectedCount) == (25_000, 0, 0))
      #expect(result.lastCommittedLine == 25_000)
      #expect(try await db.streamsAreContiguous())
      let wrong = """
        SELECT count(*) FROM (
          SELECT *, (event_data->>'n')::int AS n, lag(version) OVER (ORDER BY aggregate_id, (event_data->>'n')::int) AS before,
                 max(timestamp) FILTER (WHERE (event_data->>'n')::int % 3 <> 0) OVER () AS now
          FROM events
        ) e
        WHERE aggregate_id <> 'order-' || n % 977 OR event_type <> 'T' || n % 5 OR version <> n / 977 + 1
           OR n % 2 = 0 AND id::text <> '00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0')
           OR timestamp <> CASE n % 3 WHEN 0 THEN ('2020-01-01T00:00:00.' || n % 900 + 100 || 'Z')::timestamptz ELSE now END
           OR metadata IS DISTINCT FROM CASE n % 5 WHEN 0 THEN jsonb_build_object('user', 'é' || n) END
        """
      #expect(try await db.psql(wrong) == "0")
      #expect(try await db.psql("SELECT max(timestamp) > now() - interval '10 minutes' FROM events") == "t")
    }
  }

  @Test func aSecondRunAddsNothing() async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      options.idField = "n"
      let text = Self.lines(12_345).joined(separator: "\n")
      try await #expect(store.append(text: text, options: options).appendedCount == 12_345)
      let result = try await store.append(text: text + "\n" + Self.lines(12_346)[12_345], options: options)
      #expect((result.appendedCount, result.existingCount) == (1, 12_345))
      options.batchSize = 1
      let head = Self.lines(10).joined(separator: "\n")
      try await #expect(store.append(text: head, options: options).existingCount == 10)
      #expect(try await db.psql("SELECT count(*) FROM events") == "12346")
    }
  }

  @Test(arguments: [nil, 1, 2, 1000])
  func linesMeetTheLinesBeforeThem(batchSize: Int?) async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      options.batchSize = batchSize
      let id = Self.id(1)
      let text = """
        {"aggregate_id":"a","event_type":"A","event_data":{},"version":1,"id":"\(id)"}
        {"aggregate_id":"a","event_type":"A","event_data":{},"version":1,"id":"\(id)"}
        {"aggregate_id":"a","event_type":"B","event_data":{},"expected_version":1}
        {"aggregate_id":"a","event_type":"C","event_data":{},"expected_version":"exists"}
        {"aggregate_id":"b","event_type":"D","event_data":{},"expected_version":"none","position":99}
        {"aggregate_id":"a","event_type":"A","event_data":{},"id":"\(id)"}
        {"aggregate_id":"a","event_type":"E","event_data":{},"version":4}
        """
      let result = try await store.append(text: text, options: options)
      #expect((result.appendedCount, result.existingCount) == (5, 2))
      let rows = try await db.psql("SELECT aggregate_id, version, event_type FROM events ORDER BY 1, 2")
      #expect(rows == "a|1|A\na|2|B\na|3|C\na|4|E\nb|1|D")
    }
  }

  @Test func conflictsNameTheLineAndStoreNothing() async throws {
    let cases = [
      (
        #"{"aggregate_id":"a","event_type":"B","event_data":{},"version":3}"#,
        "a is at version 1, expected version 2"
      ),
      (
        #"{"aggregate_id":"a","event_type":"B","event_data":{},"version":1}"#,
        "a is at version 1, expected no events"
      ),
      (
        #"{"aggregate_id":"b","event_type":"B","event_data":{},"expected_version":"exists"}"#,
        "b has no events, expected at least one event"
      ),
      (
        #"{"aggregate_id":"b","event_type":"B","event_data":{},"id":"\#(Self.id(7))"}"#,
        "another event already has the id \(Self.id(7))"
      ),
    ]
    for (line, message) in cases {
      try await withStore { db, store in
        let first = #"{"aggregate_id":"a","event_type":"A","event_data":{},"id":"\#(Self.id(7))"}"#
        let error = try await #require(throws: EventStoreError.self) {
          try await store.append(text: first + "\n\n" + line)
        }
        #expect(error.code == .versionConflict)
        #expect(error.message.hasPrefix("line 3: "), "\(error)")
        #expect(error.message.contains(message), "\(error)")
        #expect(error.detail?.contains("Nothing was appended.") == true)
        #expect(try await db.psql("SELECT count(*) FROM events") == "0")
      }
    }
  }

  @Test func batchesSayHowFarTheyAre() async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      options.batchSize = 100
      let commits = Mutex<[Int]>([])
      options.onCommit = { line in commits.withLock { $0.append(line) } }
      var lines = Self.lines(1000)
      lines[449] = "{"
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: lines.joined(separator: "\n"), options: options)
      }
      #expect(error.code == .invalidInput)
      #expect(error.message.hasPrefix("line 450, column 2: "), "\(error)")
      #expect(error.detail == "Lines 1 to 400 are committed.")
      #expect(error.hint?.remedies.contains(.skipLines(400)) == true)
      #expect(error.hint?.description.hasSuffix(": a stored event is not stored twice.") == true, "\(error)")
      #expect(commits.withLock { $0 } == [100, 200, 300, 400])

      lines[449] = Self.lines(450)[449]
      options.skippedLines = 400
      let result = try await store.append(text: lines.joined(separator: "\n"), options: options)
      #expect((result.appendedCount, result.lastCommittedLine) == (600, 1000))
      #expect(try await db.psql("SELECT count(DISTINCT event_data), count(*) FROM events") == "1000|1000")
    }
  }

  @Test func badLinesAreSetAside() async throws {
    try await withStore { db, store in
      try await db.psql("ALTER TABLE events ADD CHECK (event_data <> '{\"n\": 7}')")
      var options = BulkAppendOptions()
      options.maximumRejects = 3
      let rejects = Mutex<[RejectedLine]>([])
      options.onReject = { line in rejects.withLock { $0.append(line) } }
      var lines = Self.lines(20)
      lines[3] = "not json \u{1}"
      lines[11] = #"{"aggregate_id":"","event_type":"A","event_data":{}}"#
      let result = try await store.append(text: lines.joined(separator: "\n"), options: options)
      #expect((result.appendedCount, result.rejectedCount) == (17, 3))
      let set = rejects.withLock { $0.sorted { $0.line < $1.line } }
      #expect(set.map(\.line) == [4, 8, 12])
      #expect(set.map { String(decoding: $0.bytes, as: UTF8.self) } == [lines[3], lines[7], lines[11]])
      #expect(set[0].reason.hasPrefix("column 1: "), "\(set[0].reason)")
      #expect(set[1].reason.hasPrefix("refused by the server: "), "\(set[1].reason)")
      #expect(set[2].reason.hasPrefix("column 17: aggregate_id: must not be empty"), "\(set[2].reason)")

      options.maximumRejects = 2
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: lines.joined(separator: "\n"), options: options)
      }
      #expect(error.code == .invalidInput)
      #expect(try await db.psql("SELECT count(*) FROM events") == "17")
    }
  }

  @Test func receiptsTellWhereEachEventStands() async throws {
    try await withStore { db, store in
      for batchSize in [nil, 1, 7] {
        try await db.psql("TRUNCATE events")
        var options = BulkAppendOptions()
        options.batchSize = batchSize
        options.idField = "n"
        let receipts = Mutex<[AppendReceipt]>([])
        options.onReceipts = { new in receipts.withLock { $0 += new } }
        _ = try await store.append(text: Self.lines(50).joined(separator: "\n"), options: options)
        _ = try await store.append(text: Self.lines(60).joined(separator: "\n"), options: options)
        let all = receipts.withLock { $0 }
        #expect(all.count == 110)
        #expect(
          all.map(\.status.rawValue) == (0..<110).map { (50..<100).contains($0) ? "existing" : "appended" }
        )
        let told = Set(all.map { "\($0.aggregateID)|\($0.version)|\($0.position ?? -1)|\($0.id)" })
        let stored = try await db.psql("SELECT aggregate_id, version, position, id FROM events")
        #expect(told == Set(stored.split(separator: "\n").map(String.init)))
      }
    }
  }

  @Test func aDryRunChecksAndWritesNothing() async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      options.isDryRun = true
      let lines = Self.lines(15_000)
      _ = try await store.append(text: lines.prefix(3).joined(separator: "\n"))
      let result = try await store.append(text: lines.joined(separator: "\n"), options: options)
      // Lines 1 and 3 have ids.
      #expect((result.appendedCount, result.existingCount, result.lastCommittedLine) == (14_998, 2, 0))
      let late = lines + [#"{"aggregate_id":"order-0","event_type":"A","event_data":{},"version":1}"#]
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: late.joined(separator: "\n"), options: options)
      }
      #expect(error.message.hasPrefix("line 15001: "), "\(error)")
      #expect(try await db.psql("SELECT count(*) FROM events") == "3")
    }
  }

  /// A preview says what the server says, also of events that another batch would hold.
  @Test func aDryRunNoticesWhatTheServerRefuses() async throws {
    try await withStore("ALTER TABLE events ADD CHECK (event_type <> 'Wrong');") { db, store in
      let (id, other) = (EventID(), EventID())
      let line = #"{"aggregate_id":"a","event_type":"A","event_data":{},"id":"\#(id)"}"#
      let cases = [
        line.replacing("{},", with: #"{"a":1},"#), line.replacing("\"A\"", with: "\"Wrong\""),
        #"{"aggregate_id":"a","event_type":"A","event_data":{"a":"\u0000"},"id":"\#(other)"}"#,
      ]
      for wrong in cases {
        for batchSize in [nil, 1] {
          var options = BulkAppendOptions()
          options.batchSize = batchSize
          var messages: [String] = []
          for isDryRun in [true, false] {
            options.isDryRun = isDryRun
            let error = try await #require(throws: EventStoreError.self) {
              try await store.append(text: "\(line)\n\(wrong)", options: options)
            }
            // Without the values of the row, where the time is.
            messages.append(String(error.message.prefix { $0 != "(" }.drop { $0 == " " }))
            #expect(
              try await db.psql("SELECT count(*) FROM events") == (isDryRun || batchSize == nil ? "0" : "1")
            )
          }
          #expect(messages[0].hasPrefix(messages[1]))
          try await db.psql("TRUNCATE events")
        }
      }
    }
  }

  /// As an editor counts, whichever part of the program finds the fault.
  @Test func columnsCountCharacters() async throws {
    try await withStore { _, store in
      var options = BulkAppendOptions()
      options.idField = "zz"
      let head = #"{"aggregate_id":"éééé","event_type":"A","event_data":"#
      for text in [head + "{}}", head + #"{"zz":true}}"#, head + "nul}"] {
        let error = try await #require(throws: EventStoreError.self) {
          try await store.append(text: text, options: options)
        }
        let place = text.hasPrefix(head + #"{"zz""#) ? head.count + 7 : head.count + 1
        #expect(error.message.hasPrefix("line 1, column \(place): "), "\(error)")
      }
    }
  }

  @Test func idsComeFromAPayloadsField() async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      options.idField = "key"
      let text = #"""
        {"aggregate_id":"a","event_type":"A","event_data":{"key":"x\u0041"}}
        {"aggregate_id":"b","event_type":"A","event_data":{"a":[{"key":2}],"key":12}}
        {"aggregate_id":"c","event_type":"A","event_data":{"key":true},"id":"00000000-0000-4000-8000-000000000001"}
        """#
      try await #expect(store.append(text: text, options: options).appendedCount == 3)
      try await #expect(
        store.append(text: text.replacing(#"x\u0041"#, with: "xA"), options: options).existingCount == 3
      )
      let versions = "SELECT substr(id::text, 15, 1) FROM events ORDER BY aggregate_id"
      #expect(try await db.psql(versions) == "8\n8\n4")
      for (payload, message) in [
        ("{}", "no key to make an id from"), ("[]", "no key to make an id from"),
        (#"{"key":null}"#, "key, to make an id from, must be a string or a number"),
      ] {
        let error = try await #require(throws: EventStoreError.self) {
          try await store.append(
            text: #"{"aggregate_id":"a","event_type":"A","event_data":\#(payload)}"#,
            options: options
          )
        }
        #expect(error.message.contains("event_data: \(message)"), "\(error)")
      }
    }
  }

  @Test func whatReplayWritesComesBackTheSame() async throws {
    try await withStore { db, store in
      _ = try await store.append(text: Self.lines(11_000).joined(separator: "\n"))
      let output = Mutex<[UInt8]>([])
      try await store.writeNDJSON(EventQuery()) { piece in output.withLock { $0 += piece } }
      let copy = output.withLock { String(decoding: $0, as: UTF8.self) }
      try await withStore { otherDB, other in
        try await #expect(other.append(text: copy).appendedCount == 11_000)
        let dump = """
          SELECT md5(string_agg(concat_ws('|', aggregate_id, version, event_type, event_data, timestamp, metadata, id),
                                E'\\n' ORDER BY aggregate_id, version)) FROM events
          """
        #expect(try await otherDB.psql(dump) == db.psql(dump))
        try await #expect(other.append(text: copy).existingCount == 11_000)
      }
    }
  }
}

/// Several connections that share an input.
@Suite struct SharedAppendTests {
  @Test(arguments: [1, 7, 1000])
  func eachAggregateKeepsItsOrder(batchSize: Int) async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (batchSize, 4)
      options.idField = "n"
      let commits = Mutex<[Int]>([])
      options.onCommit = { line in commits.withLock { $0.append(line) } }
      let text = BulkAppendTests.lines(3000).joined(separator: "\n")
      let result = try await store.append(text: text, options: options)
      #expect((result.appendedCount, result.lastCommittedLine) == (3000, 3000))
      #expect(commits.withLock { $0.max() } == 3000)
      let wrong = "SELECT count(*) FROM events WHERE version <> (event_data->>'n')::int / 977 + 1"
      #expect(try await db.psql(wrong) == "0")
      try await #expect(store.append(text: text, options: options).existingCount == 3000)
    }
  }

  /// Lines reported as committed are committed, and a run that continues there misses nothing.
  @Test(arguments: [1, 10])
  func aFailureLeavesNoHoleBehindTheLastCommittedLine(batchSize: Int) async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      (options.batchSize, options.workers, options.idField) = (batchSize, 4, "n")
      var lines = BulkAppendTests.lines(2000)
      lines[1499] = "{}"
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: lines.joined(separator: "\n"), options: options)
      }
      #expect(error.message.hasPrefix("line 1500, "), "\(error)")
      let number = error.detail?.split(separator: " ").compactMap { Int($0) }.last
      let last = try #require(number)
      let missing = "SELECT count(*) FROM generate_series(0, \(last) - 1) n WHERE n NOT IN "
      #expect(try await db.psql(missing + "(SELECT (event_data->>'n')::int FROM events)") == "0")

      lines[1499] = BulkAppendTests.lines(1500)[1499]
      options.skippedLines = last
      _ = try await store.append(text: lines.joined(separator: "\n"), options: options)
      #expect(try await db.psql("SELECT count(*), count(DISTINCT event_data) FROM events") == "2000|2000")
      #expect(try await db.streamsAreContiguous())
    }
  }

  /// The writer of a pipe may wait for the receipt of an event before it sends the next.
  @Test(arguments: [1, 4])
  func anAnswerDoesNotWaitForTheNextLine(workers: Int) async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (1, workers)
      let received = Mutex(0)
      options.onReceipts = { receipts in received.withLock { $0 += receipts.count } }
      let given = Mutex(0)
      let result = try await store.append(
        lines: {
          let number = given.withLock { $0 }
          while received.withLock({ $0 }) < number {
            try Task.checkCancellation()
            usleep(1000)
          }
          given.withLock { $0 += 1 }
          return number < 5 ? Array((BulkAppendTests.lines(5)[number] + "\n").utf8) : nil
        },
        options: options
      )
      #expect(result.appendedCount == 5)
    }
  }

  /// If the server refuses an event, events under way on other connections count, and later ones are not sent.
  @Test func aConflictEndsAppendingOneByOne() async throws {
    try await withStore { db, store in
      try await store.append([NewEvent(type: "T")], to: "taken")
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (1, 4)
      var lines = BulkAppendTests.lines(200)
      lines[99] = #"{"aggregate_id":"taken","event_type":"T","event_data":{},"version":1}"#
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: lines.joined(separator: "\n"), options: options)
      }
      #expect(error.code == .versionConflict)
      #expect(error.message.hasPrefix("line 100: "), "\(error)")
      #expect(error.hint?.remedies.contains(.skipLines(99)) == true, "\(error)")
      let stored = Int(try await db.psql("SELECT count(*) FROM events")) ?? 0
      #expect((100...103).contains(stored), "\(stored)")
    }
  }

  /// Commits are reported while another writer waits for the input.
  @Test(arguments: [2, 3])
  func aCommitDoesNotWaitForTheNextLine(batchSize: Int) async throws {
    try await withStore { db, store in
      let committed = Mutex(0)
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (batchSize, 3)
      options.onCommit = { line in committed.withLock { $0 = max($0, line) } }
      let line = #"{"aggregate_id":"a","event_type":"T","event_data":{}}"# + "\n"
      let first = Mutex<[UInt8]?>(Array(String(repeating: line, count: batchSize).utf8))
      let isTold = Mutex(false)
      _ = try await store.append(
        lines: {
          if let first = first.withLock({ $0.take() }) { return first }
          for _ in 0..<6000 where committed.withLock(\.self) < batchSize { usleep(5000) }
          isTold.withLock { $0 = committed.withLock(\.self) == batchSize }
          return nil
        },
        options: options
      )
      #expect(isTold.withLock { $0 })
      #expect(try await db.psql("SELECT count(*) FROM events") == "\(batchSize)")
    }
  }

  @Test(arguments: [1, 500])
  func aLongRunOfOneAggregateIsNotHeldInMemory(batchSize: Int) async throws {
    try await withStore { db, store in
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (batchSize, 2)
      let payload = String(repeating: "x", count: 4000)
      let lines = (0..<6000).map {
        #"{"aggregate_id":"\#($0 < 5000 ? "long" : "short")","event_type":"T","event_data":"\#(payload)"}"#
      }
      try await #expect(
        store.append(text: lines.joined(separator: "\n"), options: options).appendedCount == 6000
      )
      #expect(try await db.psql("SELECT count(*) FROM events WHERE aggregate_id = 'long'") == "5000")
    }
  }
}
