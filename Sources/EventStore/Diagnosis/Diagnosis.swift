internal import LibPQ

/// One check of whether a store is set up well.
package struct DiagnosisItem: Sendable, Hashable {
  package enum Area: String, Sendable, Hashable {
    case versions, settings, server, table, indexes, rights, records
  }

  package enum Status: String, Sendable, Hashable {
    case ok
    /// Worth knowing; it may be intended.
    case note
    /// Must be repaired.
    case problem
  }

  package var area: Area
  package var name: String
  package var value: String
  package var status = Status.ok
  /// What to do, as SQL where possible.
  package var advice: Hint?

  package init(
    _ area: Area,
    _ name: String,
    _ value: String,
    _ status: Status = .ok,
    advice: Hint? = nil
  ) {
    (self.area, self.name, self.value) = (area, name, value)
    (self.status, self.advice) = (status, advice)
  }
}

extension StoreConnection {
  func diagnose() throws -> [DiagnosisItem] {
    let facts = try StoreFacts(of: table, isOwn: foreign == nil, connection)
    var items = facts.serverItems(try standbyReplay()) + [facts.poolerItem(try connection.findPooling())]
    // An index on a missing column cannot be advised.
    var hasColumns = true
    do {
      let found =
        try foreign.map { try EventsTable.find($0, connection) } ?? EventsTable.find(table, connection)
      if let found {
        let faults = found.hasPosition ? try positionFaults() : PositionFaults()
        items += facts.tableItems(of: found, positions, faults) + facts.protectionItems
        if let archive = try findArchive() {
          items.append(DiagnosisItem(.table, "archive", "\(archive.name), which belongs to the history"))
        }
        if found.isDistributed { items += try distributionItems() }
        items += try layoutItems(of: found)
        if found.hasPosition, facts.is("can_select"), !facts.is("hides_rows") { items += try readerItems() }
        items += try traceItems(of: found, facts)
      } else {
        let advice: Hint =
          "\(.initialize), or name another table with \(.table()); \(.layouts) shows which stores of others can be read."
        items.append(
          DiagnosisItem(.table, "\(table)", "missing", .problem, advice: try layoutAdvice() ?? advice)
        )
      }
    } catch let error as EventStoreError {
      let advice = foreign == nil ? try layoutAdvice() ?? error.hint : error.hint
      hasColumns = false
      items.append(DiagnosisItem(.table, "columns", error.detail ?? error.message, .problem, advice: advice))
    }
    items += (hasColumns ? facts.indexItems : []) + facts.rightsItems
    items.append(facts.recordsItem(try migrationState()))
    return items
  }

  /// The readers whose checkpoint is beyond the end of the store.
  private func readerItems() throws -> [DiagnosisItem] {
    let head = try connection.query("SELECT coalesce(max(position), 0) AS head FROM \(raw: relation) e")
      .int64(0, 0)
    return try connection.readersAhead(of: head, in: table).map { reader in
      DiagnosisItem(
        .records,
        "checkpoint",
        reader.message(storeEnd: head),
        .problem,
        advice: "Rebuild a projection. Set back the checkpoint of a replay: \(.checkpoints) lists them."
      )
    }
  }

  /// The ids for traces that events have but no index has.
  private func traceItems(of table: EventsTable, _ facts: StoreFacts) throws -> [DiagnosisItem] {
    guard facts.isOwn, table.hasMetadata, facts.is("can_select"), !facts.is("hides_rows") else { return [] }
    let number = facts.number("estimated_rows") ?? 0
    return try membersOfSample(try indexedMembers().without, events: number).map { member in
      let value = "metadata ->> \(quoteLiteral(member))"
      let create = facts.createIndex("((\(value))) WHERE (\(value)) IS NOT NULL")
      return DiagnosisItem(.indexes, "traces by \(member)", "missing", .note, advice: Hint(create))
    }
  }

  /// The layouts that read tables of this database; nil without any.
  private func layoutAdvice() throws -> Hint? {
    let hints = try findLayouts().map { match -> Hint in
      let others = match.others.isEmpty ? "" : " (\(match.others.joined(separator: " and ")) too)"
      return "\(.diagnose(layout: match.layout, setting: match.parameters))\(others)"
    }
    guard let first = hints.first else { return nil }
    return hints.dropFirst().reduce("A layout reads what is here: " + first) { $0 + ", " + $1 } + "."
  }
}
