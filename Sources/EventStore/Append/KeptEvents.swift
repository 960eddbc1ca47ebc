internal import LibPQ

extension AppendStatements {
  /// The operator's triggers and rules that may change or drop the events that are sent.
  static func changers(of table: EventsTable, _ connection: Connection) throws(PostgresError) -> [String] {
    try connection.strings(.insertTriggers, [.text(table.name.sql)])
  }

  /// Refuses events that a trigger changed, in their transaction: an event is stored as it was sent, or not at all.
  ///
  /// Otherwise a receipt would be wrong, and a repeated append would not find what the first one stored. COPY reports
  /// only a number of rows, so the events are read back; without such a trigger they are not.
  ///
  /// - Parameter version: the version that an event was given.
  func checkKept(
    _ chunk: EventChunk,
    _ indexes: some RandomAccessCollection<Int>,
    _ connection: Connection,
    version: (Int) -> Int32
  ) throws {
    guard !changers.isEmpty else { return }
    var missing = Set(indexes)
    for event in try storedEvents(chunk, indexes, connection) {
      missing.remove(event.index)
      var differences = event.differences
      if event.version != Int(version(event.index)) {
        differences += differences.isEmpty ? "version" : ", version"
      }
      guard differences.isEmpty else {
        throw try notKept("the stored event differs in \(differences)", connection)
          .at(line: chunk.entries[event.index].line)
      }
    }
    guard let first = missing.min() else { return }
    throw try notKept("the event is not stored under its id", connection).at(line: chunk.entries[first].line)
  }

  /// Something in the database dropped or changed what was sent.
  func notKept(_ what: String, _ connection: Connection) throws(PostgresError) -> EventStoreError {
    let changers = try Self.changers(of: table, connection)
    return EventStoreError(
      .invalidDefinition,
      "\(table.name) does not store events as they are sent: \(what)",
      detail: changers.isEmpty
        ? nil : "These run before an event is stored: \(changers.joined(separator: ", ")).",
      hint:
        "Drop or disable what drops events or changes their columns. Store a value of your own "
        + "in another column."
    )
  }

  /// Rules apply to INSERT but not to COPY, so their effect would depend on how an event is stored.
  func refuseRules() throws {
    let rules = changers.filter { $0.utf8.starts(with: "rule ".utf8) }
    guard !rules.isEmpty else { return }
    throw EventStoreError(
      .invalidDefinition,
      "\(table.name) has a rule on INSERT: \(rules.joined(separator: ", "))",
      detail: "A rule rewrites the append.",
      hint: "Drop the rule. A trigger AFTER INSERT can do what is to be done beside."
    )
  }
}
