internal import LibPQ

extension StoreConnection {
  /// What may hold values from before a redaction: copies of the store, and read models that read a redacted type, if they
  /// were begun before the last redaction.
  ///
  /// - Parameter types: types of events that are about to be redacted.
  func holders(alsoOf types: [ByteString] = []) throws -> [ValueHolder] {
    var redacted: [ByteString: Timestamp] = [:]
    try connection.query(
      """
      SELECT event_type, max(redacted_at) AS redacted_at FROM annals.redactions
      WHERE store = \(table.description) GROUP BY 1
      """
    ).forEachRow { redacted[ByteString($0.string("event_type"))] = $0.timestamp("redacted_at") }
    for type in types { redacted[type] = Timestamp(microseconds: .max) }
    guard let last = redacted.values.max(by: { $0.microseconds < $1.microseconds }) else { return [] }
    return try copies(begunBefore: last)
      + readModels { started, file in
        redacted.contains { type, time in
          started.microseconds <= time.microseconds
            && (file.map { $0.handlesEveryType || $0.handledTypes.contains(type) } ?? true)
        }
      }
  }

  /// The archive, if it has events that the redaction would change; it is not changed itself.
  func archiveHolder(of redaction: Redaction) throws -> [ValueHolder] {
    guard let archive = try findArchive(), let archived = try EventsTable.find(archive.name, connection)
    else {
      return []
    }
    let hits = try RedactionStatements(redaction, in: archived).places
    let found = try connection.query("\(hits) LIMIT 1")
    return found.isEmpty ? [] : [ValueHolder(kind: .archive, name: archive.name.description, generation: nil)]
  }

  private func copies(begunBefore time: Timestamp) throws -> [ValueHolder] {
    try connection.query(
      """
      SELECT copy, started_at FROM annals.evolutions
      WHERE store = \(table.description) AND to_regclass(copy) IS NOT NULL ORDER BY copy
      """
    ).map { (name: $0.string("copy"), begun: $0.timestamp("started_at")) }
      .filter { $0.begun.microseconds <= time.microseconds }
      .map { ValueHolder(kind: .copy, name: $0.name, generation: nil) }
  }

  /// - Parameter holds: whether a read model holds values, by the start of its build and its file; nil for a file that this
  ///   version cannot read.
  private func readModels(
    where holds: (_ started: Timestamp, _ file: Projection?) -> Bool
  ) throws -> [ValueHolder] {
    try connection.query(
      """
      SELECT g.projection, g.number, g.state = 'live' AS is_live, g.started_at, g.definition
      FROM annals.generations AS g JOIN annals.projections AS p ON p.name = g.projection
      WHERE p.store = \(table.description) ORDER BY g.projection COLLATE "C", g.number
      """
    ).map { row -> ValueHolder? in
      let name = row.string("projection")
      let file = try? Projection(checking: "\(name).sql", Array(row.string("definition").utf8))
      guard holds(row.timestamp("started_at"), file) else { return nil }
      return ValueHolder(
        kind: row.bool("is_live") ? .readModel : .generation,
        name: name,
        generation: Int(row.int32("number"))
      )
    }.compactMap(\.self)
  }

  // MARK: - Dropping

  /// Drops the copies and the builds that hold values; the live read models stay.
  func dropKept() throws -> [ValueHolder] {
    let kept = try holders().filter { [.copy, .generation].contains($0.kind) }
    for holder in kept {
      switch (holder.kind, holder.generation) {
      case (.generation, let number?): _ = try discardGeneration(Int32(number), of: holder.name)
      default: try dropCopy(holder.name)
      }
    }
    return kept
  }

  private func dropCopy(_ name: String) throws {
    guard let copy = QualifiedName(name) else { return }
    try AdvisoryLock.hold("evolution of \(table)", connection) {
      try whenUnlocked("table \(copy)", for: "the drop") {
        try connection.transaction {
          try connection.execute("SET LOCAL lock_timeout = '300ms'; DROP TABLE IF EXISTS \(copy.sql)")
          _ = try connection.query("DELETE FROM annals.evolutions WHERE copy = \(name)")
          try audit(.drop, .store, "'copy', \(name)")
        }
      }
    }
  }
}
