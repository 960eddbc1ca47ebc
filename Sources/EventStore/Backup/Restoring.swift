internal import LibPQ

extension StoreConnection {
  /// Stores the events of verified exports, each batch in a transaction. A second run after an interruption continues
  /// after the committed batches.
  ///
  /// No other events may come between the batches, since readers of the store would then skip the rest of the files.
  /// Each batch locks out other writers, and checks the head of the store. The sequence first moves above the files.
  func restore(_ files: [ProvedExport], _ options: RestoreOptions) throws -> RestoreResult {
    var run = RestoreRun(
      self,
      try restoreTarget(for: files[0].header),
      options,
      totalBytes: files.map(\.file).totalBytes
    )
    run.highest = files.compactMap(\.header.headPosition).max()
    try run.requirePrevious(of: files[0].header, in: files[0].file.name)
    let isEmpty = try !run.target.hasEvents(connection)
    if !isEmpty || options.isDryRun {
      run.begin(.comparing)
      for file in files { try run.compare(file.file, within: { try connection.rolledBack($0) }) }
      if options.isDryRun { return run.result }
    }
    run.begin(.storing)
    for file in files { try run.store(file.file) { try connection.transaction(.readWrite, $0) } }
    return run.result
  }

  /// Stores the events of an export that can be read only once, in one transaction, and verifies its end before COMMIT.
  func restore(pipe file: ExportFile, _ options: RestoreOptions) throws -> RestoreResult {
    func body() throws -> RestoreResult {
      // The first line decides which kind of table is needed.
      let export = try file.reader()
      let target = try restoreTarget(for: export.header)
      var run = RestoreRun(self, target, options, totalBytes: nil)
      run.highest = options.isDryRun ? nil : export.header.headPosition
      try run.requirePrevious(of: export.header, in: file.name)
      run.begin(.storing)
      var reader = RestoreReader(export, target.table)
      try run.store(&reader) { try connection.savepoint($0) }
      if reader.end?.hasNext == true { throw EventStoreError.notLast(file.name) }
      return run.result
    }
    return try connection.transaction(rolledBack: options.isDryRun, body)
  }
}

/// Processes exports, batch by batch.
struct RestoreRun {
  private let store: StoreConnection
  let target: RestoreTarget
  private let options: RestoreOptions
  private let totalBytes: Int64?
  /// The position above which the sequence will continue; nil without positions.
  var highest: Int64?
  private(set) var result = RestoreResult()
  private var phase = RestoreProgress.Phase.storing
  /// The bytes of the files before the current one.
  private var bytesBefore: Int64 = 0

  private var connection: Connection { store.connection }

  init(_ store: StoreConnection, _ target: RestoreTarget, _ options: RestoreOptions, totalBytes: Int64?) {
    (self.store, self.target, self.options, self.totalBytes) = (store, target, options, totalBytes)
  }

  /// A transaction, or a part of one.
  typealias Bracket = (_ body: () throws -> Void) throws -> Void

  mutating func begin(_ phase: RestoreProgress.Phase) {
    self.phase = phase
    (result, bytesBefore) = (RestoreResult(), 0)
  }

  /// Finds out what would be stored, and whether that is possible.
  mutating func compare(_ file: ExportFile, within bracket: Bracket) throws {
    var reader = try RestoreReader(file.reader(), target.table)
    repeat {
      var batch = RestoreBatch()
      try reader.fill(&batch)
      if !batch.isEmpty {
        try bracket { note(try missing(batch, reader), batch) }
      }
      tell(reader)
    } while !reader.isAtEnd
    end(reader)
  }

  mutating func store(_ file: ExportFile, within bracket: Bracket) throws {
    var reader = try RestoreReader(file.reader(), target.table)
    try store(&reader, within: bracket)
  }

  mutating func store(_ reader: inout RestoreReader, within bracket: Bracket) throws {
    repeat {
      var batch = RestoreBatch()
      if try reader.append(to: &batch) {
        var isStored = false
        if target.keepsEventsApart, target.changers.isEmpty {
          isStored = try append(&batch, &reader, bracket)
        }
        try reader.fill(&batch)
        if !isStored { try bracket { try storeMissing(of: batch, reader) } }
      }
      tell(reader)
    } while !reader.isAtEnd
    end(reader)
  }

  /// Sends the events of a batch straight into the table while they are read, if all come after the head of the store.
  ///
  /// - Returns: false if they do not, or a place is occupied; nothing is stored then.
  private mutating func append(
    _ batch: inout RestoreBatch,
    _ reader: inout RestoreReader,
    _ bracket: Bracket
  ) throws -> Bool {
    guard let first = batch.firstPosition else { return false }
    var isAbove = false
    do {
      try bracket {
        try prepare()
        let head = try target.head(connection)
        isAbove = head.map { $0 < first } ?? true
        guard isAbove else { return }
        let stored = try send(&batch, &reader)
        if stored != batch.count { throw notKept("\(stored) of \(batch.count) events were stored") }
        try audit(Int64(stored), from: first, of: reader)
      }
    } catch let error as PostgresError where error.sqlState == SQLState.uniqueViolation {
      return false
    } catch let error as PostgresError where error.isRefusedData {
      throw reader.refused(error, batch, copyTo: target.table.name.name)
    }
    if isAbove { note((Int64(batch.count), first), batch) }
    return isAbove
  }

  private func send(_ batch: inout RestoreBatch, _ reader: inout RestoreReader) throws -> Int {
    try connection.copyIn(target.copy(into: target.table.name.sql)) { write in
      var sent = 0
      // The server works on the previous lines while the next ones are read.
      while !batch.isFull, try reader.append(to: &batch) {
        guard batch.rows.count - sent >= 1 << 16 else { continue }
        try write(Array(batch.rows[sent...]))
        sent = batch.rows.count
      }
      var rest = Array(batch.rows[sent...])
      rest.append(bigEndian: BinaryCopy.trailer)
      try write(rest)
    }
  }

  /// Stores the events of a batch that the store lacks.
  private mutating func storeMissing(of batch: RestoreBatch, _ reader: RestoreReader) throws {
    try prepare()
    let missing = try missing(batch, reader)
    if missing.events > 0 {
      try insert(missing.events)
      try audit(missing.events, from: missing.lowest, of: reader)
    }
    try connection.execute("DROP TABLE \(RestoreTarget.batch)")
    note(missing, batch)
  }

  /// One row a batch, as each is a transaction: an interrupted restore has those of what is stored.
  private func audit(_ events: Int64, from lowest: Int64?, of reader: RestoreReader) throws {
    try store.auditIfKept(
      .restore,
      .store,
      "'file', \(reader.name), 'events', \(events), 'first_position', \(lowest)"
    )
  }

  private func insert(_ count: Int64) throws {
    let stored: Int
    do { stored = try target.insertMissing(connection) } catch let error as PostgresError {
      let isRefused = error.isRefusedData || error.sqlState == SQLState.uniqueViolation
      throw isRefused ? EventStoreError.refusedEvent(error) : error
    }
    if stored != count { throw notKept("\(stored) of \(count) events were stored") }
    if target.changers.isEmpty { return }
    let collision = try target.collision(connection)
    if let collision { throw notKept("the stored event differs in \(collision.differences)") }
    let left = try target.missing(connection)
    if left.events > 0 { throw notKept("\(left.events) of \(count) events were not stored") }
  }

  /// Compares a batch with the store, and counts the events that the store lacks.
  private func missing(
    _ batch: RestoreBatch,
    _ reader: RestoreReader
  ) throws -> (events: Int64, lowest: Int64?) {
    let head = try target.head(connection)
    try target.createBatch(connection)
    do {
      try connection.copyIn(target.copy(into: RestoreTarget.batch)) { write in
        var rows = batch.rows
        rows.append(bigEndian: BinaryCopy.trailer)
        try write(rows)
      }
    } catch let error as PostgresError where error.isRefusedData {
      throw reader.refused(error, batch, copyTo: RestoreTarget.batch)
    }
    let collision = try target.collision(connection)
    if let collision { throw try self.collision(collision, reader.place(ofRow: collision.row, batch)) }
    if let (row, event) = try target.archived(connection) {
      throw EventStoreError(
        .failed,
        "\(reader.place(ofRow: row, batch)): \(event) is archived",
        detail: "Restored, the event would be in two places.",
        hint: "Move archived events back with \(.unarchive) first."
      )
    }
    let (events, lowest, row) = try target.missing(connection)
    if let head, let lowest, let row, lowest <= head, !options.restoresMissing {
      throw belowHead(events, lowest, head, reader.place(ofRow: row, batch))
    }
    return (events, lowest)
  }

  private func prepare() throws {
    try target.lock(connection)
    if let highest { try target.moveSequence(above: highest, connection) }
  }

  private mutating func note(_ missing: (events: Int64, lowest: Int64?), _ batch: RestoreBatch) {
    result.restored += missing.events
    result.lowestRestored = [result.lowestRestored, missing.lowest].compactMap(\.self).min()
  }

  private mutating func end(_ reader: RestoreReader) {
    result.files += 1
    result.events += reader.events
    bytesBefore += reader.bytes
  }

  private func tell(_ reader: RestoreReader) {
    options.onProgress?(
      RestoreProgress(
        phase: phase,
        bytes: bytesBefore + reader.bytes,
        totalBytes: totalBytes,
        events: result.events + reader.events
      )
    )
  }
}

// MARK: - Refusals

extension RestoreRun {
  /// Refuses an incremental export if the events before it are missing.
  func requirePrevious(of header: ExportHeader, in name: String) throws {
    guard !options.restoresMissing, let position = header.previous?.lastPosition else { return }
    let before = try connection.query(
      "SELECT 1 FROM \(raw: target.table.name.sql) WHERE position = \(position) LIMIT 1"
    )
    guard before.isEmpty else { return }
    throw EventStoreError(
      .failed,
      "\(name) continues from position \(position), where \(target.table.name) has no event",
      detail: "The events of the previous file are missing.",
      hint: "Restore that file first, or both together in their order."
    )
  }

  fileprivate func collision(_ collision: Collision, _ place: String) throws -> EventStoreError {
    let redactedAt = try timeOfRedaction(of: collision)
    return EventStoreError(
      .versionConflict,
      "\(place): the store has another event in the place of \(collision.given)",
      detail: "The store has \(collision.stored)\(redactedAt.map { ", redacted at \($0)" } ?? "")."
        + " They differ in \(collision.differences).",
      hint: redactedAt == nil
        ? "The store has a different history. Restore into an empty table; events are never changed."
        : "The export is older than the redaction, and has the values that were removed. Make a new export."
    )
  }

  /// When the event of the store was redacted last.
  private func timeOfRedaction(of collision: Collision) throws -> Timestamp? {
    let name = target.table.name
    guard let aggregate = collision.storedAggregate, let version = collision.storedVersion,
      try connection.hasRedactions(of: name)
    else { return nil }
    return try connection.query(
      """
      SELECT redacted_at FROM annals.redactions
      WHERE store = \(name.description) AND aggregate_id = \(aggregate) AND version = \(version)
      ORDER BY audit DESC LIMIT 1
      """
    ).first { $0.timestamp("redacted_at") }
  }

  fileprivate func belowHead(
    _ events: Int64,
    _ lowest: Int64,
    _ head: Int64,
    _ place: String
  ) -> EventStoreError {
    EventStoreError(
      .failed,
      "\(place): the store lacks the event at position \(lowest), and has later ones up to \(head)",
      detail: "Readers that have passed that position would not see the restored event.",
      hint: "\(.restoreMissing) restores such events, and names the readers that have passed them."
    )
  }

  private func notKept(_ fault: String) -> EventStoreError {
    EventStoreError(
      .failed,
      "the events were not stored unchanged: \(fault)",
      detail: "Possible causes: \(target.changers.joined(separator: ", ")).",
      hint: "Disable the trigger while events are restored."
    )
  }
}
