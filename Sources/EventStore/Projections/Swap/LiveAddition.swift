internal import LibPQ

/// A part of a live table that a new one lacks: a constraint, an index, a statistics object, a trigger.
struct LiveAddition: Sendable {
  /// As `index sums_by_day on table sums`.
  let description: String
  /// Adds it to the new table; nil if that is not possible.
  let statement: String?
  /// Added in the swap itself: it is quick, and it must not run for the events of history.
  let isTrigger: Bool
}

extension StoreConnection {
  /// What operators added to the live tables and the tables of a generation lack.
  ///
  /// What the live generation's own file creates was not added: if the other file leaves it out, it is removed.
  func lackingAdditions(of generation: Generation) throws -> [LiveAddition] {
    guard let live = try liveGeneration(of: generation.projection) else { return [] }
    let lacking = try additions(of: live, comparedTo: generation.ownSchema)
    guard !lacking.isEmpty, !generation.definition.hasSameBytes(as: live.definition) else { return lacking }
    let added = try additions(of: live)
    return lacking.filter { added?.contains(ByteString($0.description)) ?? true }
  }

  /// What the live tables have besides what their file creates. To find it, the file's tables are created once more.
  ///
  /// - Returns: the descriptions; nil when the file's `@create` no longer works.
  private func additions(of live: Generation) throws -> Set<ByteString>? {
    let scratch = "annals_scratch"
    do {
      return try connection.rolledBack {
        try connection.execute("CREATE SCHEMA \(scratch)")
        let file = try Projection(checking: live.path, Array(live.definition.utf8))
        try connection.run(file.create, Confinement(file, in: scratch), of: live.path)
        return Set(try additions(of: live, comparedTo: scratch).map { ByteString($0.description) })
      }
    } catch is SQLFileError {
      return nil
    }
  }

  private func additions(of live: Generation, comparedTo schema: String) throws -> [LiveAddition] {
    try connection.rolledBack {
      try connection.useSchemas(live.liveSchema)
      let sql = SQLTemplate.liveAdditions.sql
      return try connection.query(sql, [.text(live.liveSchema), .text(schema)]).map { row in
        LiveAddition(
          description: row.string("description"),
          statement: row.optionalString("statement"),
          isTrigger: row.bool("is_trigger")
        )
      }
    }
  }

  /// Adds to the tables of a generation, in the caller's transaction, and warns of additions that fail.
  ///
  /// - Returns: those that worked.
  @discardableResult
  func add(_ additions: [LiveAddition], to generation: Generation) throws -> [LiveAddition] {
    guard !additions.isEmpty else { return [] }
    // Objects that they name and the generation lacks, such as a trigger's function, are found in the live schema.
    try connection.useSchemas(generation.schema, generation.liveSchema)
    defer { connection.cleanUp { try connection.useOwnPath() } }
    return try additions.filter { addition in
      guard let statement = addition.statement else {
        notify("\(addition.description) is not taken over; put it into the projection file")
        return false
      }
      do {
        try connection.savepoint { try connection.execute(statement) }
        return true
      } catch let error as PostgresError where !error.isPassing {
        notify("\(addition.description) cannot be taken over: \(error.message)")
        return false
      }
    }
  }

  /// Tries on the new tables, while they are empty, what they will take over from the live ones, so that failures are
  /// known before the work.
  ///
  /// - Returns: the statements that worked.
  /// - Throws: ``EventStoreError`` for what must not be left out, such as a policy on a column that no longer exists.
  func tryTakingOver(by generation: Generation, keepsOwnGrants: Bool) throws -> [String] {
    guard try liveGeneration(of: generation.projection) != nil else { return [] }
    return try connection.rolledBack {
      let additions = try add(lackingAdditions(of: generation), to: generation)
      var properties: [String] = []
      do {
        // Leaving a publication needs a lock on a live table, which a VACUUM may hold.
        try connection.execute("SET LOCAL lock_timeout = '2s'")
        properties = try generation.properties(keepsOwnGrants: keepsOwnGrants, connection)
        for statement in properties { try connection.execute(statement) }
      } catch let error as PostgresError where error.isAboutStatement {
        throw EventStoreError(
          .invalidDefinition,
          "the new tables of projection \(generation.projection) cannot take over what the live ones have: "
            + error.message,
          hint: "Change or drop the policy or publication of the live table that needs it."
        )
      } catch let error as PostgresError where error.sqlState == SQLState.lockNotAvailable {
      }
      return properties + additions.compactMap(\.statement)
    }
  }

  /// Creates the indexes, constraints and statistics objects that operators added to the live tables, after the load.
  ///
  /// - Parameter tried: the descriptions of those that were tried; they are left out.
  func addToLoadedTables(of generation: Generation, besides tried: inout Set<ByteString>) throws {
    for addition in try lackingAdditions(of: generation)
    where !addition.isTrigger && addition.statement != nil
      && tried.insert(ByteString(addition.description)).inserted
    {
      try whenUnlocked("tables of \(addition.description)") {
        try connection.transaction {
          // A foreign key locks another table. This is longer than deadlock_timeout, after which an autovacuum yields.
          try connection.execute("SET LOCAL lock_timeout = '2s'")
          try add([addition], to: generation)
        }
      }
    }
  }
}
