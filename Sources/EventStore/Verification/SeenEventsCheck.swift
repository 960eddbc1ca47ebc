internal import FoundationEssentials
internal import LibPQ

/// A reader, and which events it has met up to its checkpoint.
struct KnownReader: Sendable {
  enum Selection: Sendable {
    case projection(Projection, source: String)
    case query(EventQuery)
  }

  /// Such as "projection orders".
  let name: String
  let position: Int64
  let seen: SeenEvents
  let selection: Selection
}

extension StoreConnection {
  /// The readers of the store with a record of the events that they have met; none if the role may not read it.
  func knownReaders() throws -> [KnownReader] {
    let tables = ["migrations", "generations", "projections", "checkpoints"]
    guard try connection.canReadOwnTables(tables) else { return [] }
    let state = try migrationState()
    guard state.applied == state.latest else { return [] }
    var readers: [KnownReader] = []
    try connection.query(SQLTemplate.readers.sql, [.text(table.description)]).forEachRow { row in
      guard let seen = row.seenEvents, let (name, selection) = try selection(row) else { return }
      readers.append(
        KnownReader(name: name, position: row.int64("position"), seen: seen, selection: selection)
      )
    }
    return readers
  }

  private func selection(_ row: borrowing Row) throws -> (name: String, KnownReader.Selection)? {
    if let projection = row.optionalString("projection") {
      guard let live = try liveGeneration(of: projection), live.number == row.int32("generation"),
        let (file, source) = try reading(live)
      else { return nil }
      return ("projection \(projection)", .projection(file, source: source))
    }
    var query = EventQuery()
    query.aggregateID = row.optionalString("aggregate_id")
    query.category = row.optionalString("category")
    if let types = row.optionalString("event_types") {
      query.types = try JSONDecoder().decode([String].self, from: Data(types.utf8))
    }
    return ("checkpoint '\(row.string("checkpoint"))'", .query(query))
  }

  /// The events that the store has up to a reader's checkpoint now.
  func seenEvents(upTo reader: KnownReader) throws -> SeenEvents {
    switch reader.selection {
    case .projection(let file, let source):
      return try file.seenEvents(of: source, upTo: reader.position, connection)
    case .query(var query):
      query.toPosition = reader.position
      return try seenEvents(of: query)
    }
  }
}

extension StoreConnection {
  /// What is wrong with readers that have met other events than the store has up to their checkpoints.
  func differingReaders() throws -> [Finding] {
    try knownReaders().compactMap { reader in
      guard let finding = Finding(reader, stored: try seenEvents(upTo: reader)) else { return nil }
      return try hasMetTableAlone(reader) ? nil : finding
    }
  }

  /// Whether a reader has met all events but the archived ones, as one that was made after they were archived.
  private func hasMetTableAlone(_ reader: KnownReader) throws -> Bool {
    guard archive != nil else { return false }
    let alone = readingTableAlone
    guard let same = try alone.knownReaders().first(where: { $0.name.hasSameBytes(as: reader.name) }) else {
      return false
    }
    return try alone.seenEvents(upTo: same) == same.seen
  }
}

extension Finding {
  /// The finding when a reader has met other events than the store has up to its checkpoint; nil if they are the same.
  init?(_ reader: KnownReader, stored: SeenEvents) {
    guard reader.seen != stored else { return nil }
    let (seen, count) = (reader.seen.count, stored.count)
    let what =
      if count > seen {
        "\(count - seen) appeared below its checkpoint later"
      } else if count < seen {
        "\(seen - count) that it processed were removed"
      } else {
        "they are not the same: some were removed, and others appeared below its checkpoint later"
      }
    self.init(
      kind: .checkpointDiffers,
      severity: .error,
      position: reader.position,
      detail:
        "\(reader.name) processed \(counted(seen, "event")) up to position \(reader.position), and the store has "
        + "\(count) there: \(what)"
    )
  }
}
