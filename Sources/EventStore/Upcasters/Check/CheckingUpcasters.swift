internal import LibPQ

extension StoreConnection {
  func check(
    _ upcasters: Upcasters,
    _ options: EvolutionCheckOptions,
    progress: @Sendable (EventStore.Progress) -> Void
  ) throws -> EvolutionCheckResult {
    let table = try eventsTable()
    try upcasters.check(for: table, connection)
    let handled = try handledTypes(options.projections)
    return try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      var run = try EvolutionCheckRun(upcasters, in: table, options, connection)
      try run.checkEvents(progress)
      try run.reportShapes()
      if let handled { try run.reportUnhandled(by: handled) }
      run.sortFindings()
      return run.result
    }
  }

  /// The types that some projection handles: the given ones, and the live projections of this store.
  ///
  /// - Returns: nil if no projection is known, or one handles every type.
  private func handledTypes(_ given: [Projection]) throws -> Set<ByteString>? {
    let all = try given + liveProjections()
    if all.isEmpty || all.contains(where: \.handlesEveryType) { return nil }
    return Set(all.flatMap(\.handledTypes))
  }

  /// The live projections of this store; none if this role may not read schema `annals`.
  func liveProjections() throws -> [Projection] {
    guard try connection.canReadOwnTables(["projections", "generations"]) else { return [] }
    let sql: SQL = """
      SELECT g.projection, g.definition FROM annals.generations g JOIN annals.projections p ON p.name = g.projection
      WHERE g.state = 'live' AND p.store = \(table.description) ORDER BY 1
      """
    return try connection.query(sql).map { row in
      try Projection(checking: "\(row.string("projection")).sql", Array(row.string("definition").utf8))
    }
  }
}

extension EvolutionCheckRun {
  /// Names the types that neither a rule nor a projection knows.
  mutating func reportUnhandled(by handled: Set<ByteString>) throws {
    let known = handled.union(upcasters.types ?? [])
    for count in try TypeCount.all(in: table, connection) where !known.contains(count.type) {
      add(
        .unhandled,
        type: count.type.string,
        events: count.events,
        first: try event(at: count.positions?.lowerBound),
        rules: [],
        detail: "no rule and no projection handles this type"
      )
    }
  }

  /// Sorts them, the worst first.
  mutating func sortFindings() {
    let kinds = EvolutionFinding.Kind.allCases
    let ordered = result.findings.enumerated().sorted {
      let (left, right) = (kinds.firstIndex(of: $0.element.kind)!, kinds.firstIndex(of: $1.element.kind)!)
      return (left, $0.offset) < (right, $1.offset)
    }
    result.findings = ordered.map(\.element)
  }
}
