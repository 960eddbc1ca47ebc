import EventStore
import LibPQ
import Synchronization
import TestSupport
import Testing

/// A position may be any bigint: no arithmetic may trap, no hole takes time, no event is left out.
@Suite struct EdgePositionsTests {
  /// From the lowest to the highest, without the one below which nothing can be remembered.
  static let positions: [Int64] = [-9_223_372_036_854_775_807, -2, -1, 0, 1, 2, .max - 1, .max]

  @Test func readsShowEveryPosition() async throws {
    try await Shop.open { shop in
      try await shop.insert([.min] + Self.positions)
      let store = try shop.store()
      let all = [.min] + Self.positions
      #expect(try await store.positions(EventQuery()) == all)
      var reversed = EventQuery()
      reversed.reversed = true
      #expect(try await store.positions(reversed) == all.reversed())
      for last in [1, 3, 9, 10] {
        var query = EventQuery()
        query.last = last
        #expect(try await store.positions(query) == Array(all.suffix(last)))
      }
      var range = EventQuery()
      (range.fromPosition, range.toPosition) = (-1, .max - 1)
      #expect(try await store.positions(range) == [-1, 0, 1, 2, .max - 1])
      let lines = Lines()
      let summary = try await store.writeNDJSON(EventQuery()) { lines.add($0) }
      #expect(summary.count == 9 && lines.count == 9 && summary.lastPosition == .max)
      let plan = try await store.planReplay(EventQuery())
      #expect(plan.positions == Int64.min...Int64.max)
      #expect(try await store.watermark().head == .max)
      // Following from the end finds the end.
      var following: [Int64] = []
      var query = EventQuery()
      query.toPosition = .max
      for try await event in store.events(matching: query, following: true) {
        following.append(event.position!)
      }
      #expect(following == all)
    }
  }

  @Test func aReplayGoesOnFromAnyPosition() async throws {
    try await Shop.open { shop in
      try await shop.insert(Self.positions)
      let store = try shop.store()
      for batchSize in [1, 3, 100] {
        var options = ReplayOptions()
        (options.checkpoint, options.batchSize) = ("c\(batchSize)", batchSize)
        #expect(try await store.planReplay(EventQuery(), options).positions == Self.positions[0]...Int64.max)
        var (seen, fails): ([Int64], Bool) = ([], true)
        while fails {
          fails = false
          do {
            _ = try await store.replay(EventQuery(), options) { batch in
              if !seen.isEmpty, seen.count < 5 || Bool.random() { throw Stop() }
              seen += batch.positions
            }
          } catch is Stop {
            fails = true
            if seen.count < 5 {
              _ = try await store.replay(EventQuery(), options) { batch in
                guard seen.last ?? .min < batch.positions[0] else { throw Stop() }
                seen += batch.positions
              }
            }
          }
        }
        #expect(seen == Self.positions)
        #expect(try await store.planReplay(EventQuery(), options).positions == nil)
        #expect(try await store.replay(EventQuery(), options) { _ in }.count == 0)
      }
    }
  }

  @Test func theLowestPositionCannotBeRemembered() async throws {
    try await Shop.open { shop in
      try await shop.insert([.min, 1])
      let store = try shop.store()
      var options = ReplayOptions()
      options.checkpoint = "c"
      await #expect { try await store.replay(EventQuery(), options) { _ in } } throws: {
        ($0 as? EventStoreError)?.message.contains("-9223372036854775808, the lowest number") == true
      }
      let failure = await shop.failure(of: sums)
      #expect(failure?.code == .invalidDefinition && failure?.message.contains("the lowest number") == true)
      await #expect(throws: EventStoreError.self) {
        try await store.planRebuild(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      }
      // A build that stores no position reads it.
      let build = try await store.buildReadModel(
        try Projection(path: "s.sql", bytes: Array(sums.utf8)),
        from: EventQuery(),
        into: "aside"
      )
      #expect(build.events == 2)
    }
  }

  @Test(arguments: [1, 2, 5000])
  func aReadModelHoldsEveryPosition(chunkSize: Int64) async throws {
    try await Shop.open { shop in
      try await shop.insert(Self.positions)
      for workers in [1, 2] {
        let outcome = try await shop.rebuild(sums) {
          $0.chunkSize = chunkSize
          $0.workers = workers
        }
        #expect(outcome.events == 8 && outcome.position == .max)
        #expect(try await shop.sums() == shop.expectedSums())
      }
      #expect(
        try await shop.store().planRebuild(try Projection(path: "s.sql", bytes: Array(sums.utf8))).types.map(
          \.events
        ) == [8]
      )
      #expect(try await shop.project(sums).events == 0)
      #expect(try await shop.store().projections()[0].lagEvents == 0)
      let build = try await shop.store().buildReadModel(
        try Projection(path: "s.sql", bytes: Array(sums.utf8)),
        from: EventQuery(),
        into: "aside",
        chunkSize: chunkSize
      )
      #expect(build.events == 8 && build.position == .max)
    }
  }

  @Test(arguments: [1, 5000])
  func aCatchUpAppliesEveryPosition(chunkSize: Int64) async throws {
    try await Shop.open { shop in
      try await shop.insert([-9_223_372_036_854_775_807])
      try await shop.rebuild(sums)
      try await shop.insert([-1, 0, 1, .max - 1, .max], from: 2)
      // The last but one fails, and is parked.
      try await shop.psql("ALTER TABLE sums ADD CHECK (total < 100)")
      try await shop.psql(
        "UPDATE events SET event_data = '{\"n\": 1000}' WHERE position = \(Int64.max - 1); UPDATE events SET event_data = '{\"n\": 1}' WHERE position <> \(Int64.max - 1)"
      )
      let outcome = try await shop.project(sums) {
        $0.chunkSize = chunkSize
        $0.attempts = 0
      }
      #expect(outcome.events == 4 && outcome.deadLetters == 1 && outcome.position == .max)
      let letters = try await shop.store().deadLetters()
      #expect(letters.map(\.position) == [.max - 1])
      try await shop.psql("UPDATE events SET event_data = '{\"n\": 2}' WHERE position = \(Int64.max - 1)")
      let retry = try await shop.store().retryDeadLetters(of: "sums")
      #expect(retry.applied == 1)
      try await shop.store().setCheckpoint(of: "sums", to: -2, from: .max)
      #expect(try await shop.store().projections()[0].lagEvents == 5)
    }
  }

  @Test func aStoreBelowZeroIsNoTrap() async throws {
    try await Shop.open { shop in
      try await shop.insert([-7, -5])
      let outcome = try await shop.rebuild(sums)
      #expect(outcome.events == 2 && outcome.position == -5)
      try await shop.store().setCheckpoint(of: "sums", to: -7, from: -5)
      #expect(try await shop.project(sums).events == 1)
      #expect(try await shop.store().watermark().head == -5)
      for wrong: Int64 in [-9, -4, 0] {
        await #expect(throws: EventStoreError.self) {
          try await shop.store().setCheckpoint(of: "sums", to: wrong, from: -5)
        }
      }
      #expect(try await shop.store().health().lagEvents == 0)
      var options = ReplayOptions()
      options.checkpoint = "c"
      #expect(try await shop.store().replay(EventQuery(), options) { _ in }.count == 2)
    }
  }

  /// A sequence that begins below 0, and a read model that is older than the first event.
  @Test func anEmptyStoreMayGoBelowZero() async throws {
    try await Shop.open { shop in
      try await shop.psql("ALTER TABLE events ALTER position SET MINVALUE -10 SET START -10 RESTART")
      try await shop.rebuild(sums)
      var options = ReplayOptions()
      options.checkpoint = "c"
      let store = try shop.store()
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 0)
      try await shop.append(3)
      #expect(try await shop.psql("SELECT min(position) FROM events") == "-10")
      #expect(try await shop.project(sums).events == 3)
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 3)
    }
  }

  @Test func typesShapesAndUpcastersMeetEveryPosition() async throws {
    try await Shop.open { shop in
      try await shop.insert(Self.positions)
      let store = try shop.store()
      for sample in [nil, 1, 3, 7, 100] {
        #expect(try await store.eventTypes(sample: sample).map(\.events) == [8])
        #expect(try await store.shape(ofType: "Added", sample: sample).paths.map(\.path) == [".", ".n"])
        var options = EvolutionCheckOptions()
        options.sample = sample
        options.comparedPerType = sample ?? 1000
        let result = try await store.check(Self.upcasters(), options)
        #expect(result.findings.map(\.kind) == [] && result.events >= 1)
      }
      let plan = try await store.planEvolution(Self.upcasters())
      #expect(plan.position == .max && plan.types[0].changed == 8)
      for chunkSize: Int64 in [1, 3, 50_000] {
        let copy = QualifiedName(schema: "public", name: "copy_\(chunkSize)")
        let outcome = try await store.applyEvolution(plan, into: copy, chunkSize: chunkSize)
        #expect(outcome.events == 8 && outcome.position == .max)
        #expect(
          try await shop.psql("SELECT count(*) FROM events JOIN copy_\(chunkSize) USING (id, position)")
            == "8"
        )
      }
    }
  }

  @Test func anUpcasterThatFailsIsNamedAtEveryPosition() async throws {
    try await Shop.open { shop in
      try await shop.insert([.min] + Self.positions)
      let failing = try Upcasters([
        (
          "f.sql",
          Array(
            "-- @upcaster f\n-- @event Added\n-- @data\nSELECT to_jsonb(1 / (event.version - event.version));\n"
              .utf8
          )
        )
      ])
      let result = try await shop.store().check(failing)
      #expect(result.counts[.failure] == 9)
      #expect(result.findings.compactMap(\.position) == [.min] + Self.positions)
    }
  }

  @Test func aCheckExplainsEveryPosition() async throws {
    try await Shop.open { shop in
      try await shop.insert([.min] + Self.positions)
      try await shop.psql("DELETE FROM events WHERE version IN (1, 4, 8)")
      var check = VersionCheck()
      check.explains = true
      check.kinds = [.gap, .wrongFirstVersion, .positionHole]
      let found = Mutex<[Finding]>([])
      _ = try await shop.store().verifyVersions(check) { finding in found.withLock { $0.append(finding) } }
      let kinds = found.withLock(\.self).map(\.kind)
      #expect(kinds.contains(.gap) && kinds.contains(.wrongFirstVersion) && kinds.contains(.positionHole))
      #expect(found.withLock(\.self).allSatisfy { $0.kind == .positionHole || $0.explanation != nil })
    }
  }

  @Test func timesAtTheirEndsAreShown() async throws {
    try await Shop.open { shop in
      let times = ["-infinity", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00", "infinity"]
      for (index, time) in times.enumerated() {
        try await shop.psql(
          "INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp) VALUES ('a', 'Added', '{\"n\": 1}', \(index + 1), '\(time)')"
        )
        let store = try shop.store()
        if index == 0 { try await shop.rebuild(sums) }
        _ = try await store.health()
        _ = try await store.health().problems(StoreHealth.Limits())
        _ = try await store.projections()
        _ = try await store.eventsPerHour()
        #expect(try await store.eventTypes().map(\.events) == [Int64(index + 1)])
        #expect(try await store.positions(EventQuery()).count == index + 1)
      }
    }
  }

  /// 300 million positions between events, and a jump of the sequence by as many, take no longer than without.
  @Test func holesAreJumpedOver() async throws {
    try await Shop.open { shop in
      let positions = (0..<30).map { 1_700_000_000_000_000 + Int64($0) * 300_000_000 }
      try await shop.insert([1, 2] + positions)
      let chunks = Mutex(0)
      let outcome = try await shop.rebuild(sums, { $0.chunkSize = 10 }) { _ in chunks.withLock { $0 += 1 } }
      #expect(outcome.events == 32 && chunks.withLock(\.self) < 12)
      try await shop.insert([positions.last! + 100_000_000_000], from: 40)
      chunks.withLock { $0 = 0 }
      let caught = try await shop.store().project(
        try Projection(path: "s.sql", bytes: Array(sums.utf8)),
        options: .onceByTens
      ) {
        _ in
        chunks.withLock { $0 += 1 }
      }
      #expect(caught.events == 1 && chunks.withLock(\.self) == 1)
      chunks.withLock { $0 = 0 }
      let store = try shop.store()
      let checked = try await store.check(Self.upcasters()) { _ in chunks.withLock { $0 += 1 } }
      #expect(checked.events == 33 && chunks.withLock(\.self) == 1)
      chunks.withLock { $0 = 0 }
      let copy = QualifiedName(schema: "public", name: "copy")
      let plan = try await store.planEvolution(Self.upcasters())
      let applied = try await store.applyEvolution(plan, into: copy, chunkSize: 10) { _ in
        chunks.withLock { $0 += 1 }
      }
      #expect(applied.events == 33 && chunks.withLock(\.self) == 4)
      chunks.withLock { $0 = 0 }
      let built = try await store.buildReadModel(
        try Projection(path: "s.sql", bytes: Array(sums.utf8)),
        from: EventQuery(),
        into: "aside",
        chunkSize: 10
      ) { _ in chunks.withLock { $0 += 1 } }
      #expect(built.events == 33 && chunks.withLock(\.self) == 4)
    }
  }

  /// Several events of one position stay in one chunk.
  @Test func eventsOfOnePositionStayTogether() async throws {
    try await Shop.open { shop in
      try await shop.psql("ALTER TABLE events DROP CONSTRAINT events_position_key")
      try await shop.insert([1, 1, 1, 2, 2, 1_000_000, 1_000_000])
      let outcome = try await shop.rebuild(sums) { $0.chunkSize = 1 }
      #expect(outcome.events == 7)
    }
  }

  private static func upcasters() throws -> Upcasters {
    let rule = "SELECT event.event_data || '{\"m\": 1}';"
    let text = "-- @upcaster u\n-- @event Added\n-- @when NOT event.event_data ? 'm'\n-- @data\n\(rule)\n"
    return try Upcasters([("u.sql", Array(text.utf8))])
  }
}

private struct Stop: Error {}

private final class Lines: Sendable {
  private let lines = Mutex(0)
  var count: Int { lines.withLock(\.self) }
  func add(_ bytes: [UInt8]) { lines.withLock { $0 += bytes.count { $0 == UInt8(ascii: "\n") } } }
}

extension CatchUpOptions {
  fileprivate static var onceByTens: CatchUpOptions {
    var options = CatchUpOptions()
    (options.once, options.chunkSize) = (true, 10)
    return options
  }
}

extension Shop {
  /// Events of one stream at these positions, with versions in their order.
  fileprivate func insert(_ positions: [Int64], from version: Int = 1) async throws {
    let rows = positions.enumerated().map { index, position in
      "('a', 'Added', '{\"n\": \(index)}', \(version + index), \(position))"
    }
    try await psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE
      VALUES \(rows.joined(separator: ", "));
      SELECT setval('events_position_seq', greatest(max(position), 1)) FROM events
      """
    )
  }
}

extension EventStore {
  fileprivate func positions(_ query: EventQuery) async throws -> [Int64] {
    var all: [Int64] = []
    for try await event in events(matching: query) { all.append(event.position!) }
    return all
  }
}
