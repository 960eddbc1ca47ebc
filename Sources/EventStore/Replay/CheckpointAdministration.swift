internal import LibPQ

/// Changes of a replay's checkpoint by hand; each is recorded in the audit.
extension StoreConnection {
  /// The position after which a reader begins.
  func position(before start: ReplayStart) throws -> Int64 {
    try proveFinality()
    let final = try finalPosition()
    switch start {
    case .now: return final
    case .position(let first):
      let position = first.saturatingAdd(-1)
      try requireInStore(position, upTo: final)
      return position
    case .time(let time):
      let table = try eventsTable()
      try table.requireTimes(connection)
      // "+ 0" keeps the planner from walking the positions to the first match.
      let sql: SQL = """
        SELECT min(e.position + 0) FROM \(raw: relation) e
        WHERE e."timestamp" >= \(table.stored(time)) AND e.position <= \(final)
        """
      return try connection.query(sql).optionalInt64(0, 0)?.saturatingAdd(-1) ?? final
    }
  }

  func requireInStore(_ position: Int64, upTo final: Int64) throws {
    let beginning = try eventsTable().beginning(connection)
    let end = max(final, beginning)
    guard position >= beginning, position <= end else {
      throw EventStoreError(
        .invalidInput,
        "position \(position) is not in the store, which ends at \(end)",
        hint: "Give a position from \(beginning) to \(end)."
      )
    }
  }

  func setReplayCheckpoint(_ name: String, to position: Int64, from expected: Int64) throws {
    try withCheckpoint(name) {
      try proveFinality()
      try requireInStore(position, upTo: try finalPosition())
      try connection.transaction {
        // It is no longer known which events the reader has met.
        let moved = try connection.query(
          """
          UPDATE annals.checkpoints SET position = \(position), moved_at = clock_timestamp(), seen_events = NULL,
            seen_hash = NULL, done_ahead = NULL
          WHERE name = \(name) AND position = \(expected) RETURNING 1
          """
        )
        guard !moved.isEmpty else {
          throw EventStoreError(
            .locked,
            "checkpoint '\(name)' is not at \(expected)",
            hint: "Look again with \(.checkpoints)."
          )
        }
        try audit(.setCheckpoint, .checkpoint(name), "'from', \(expected), 'to', \(position)")
      }
    }
  }

  func removeCheckpoint(_ name: String) throws {
    try withCheckpoint(name) {
      try connection.transaction {
        let removed = try connection.query(
          "DELETE FROM annals.checkpoints WHERE name = \(name) RETURNING position, filter"
        )
        let (position, filter) = (removed[0].int64("position"), removed[0].string("filter"))
        try audit(.removeCheckpoint, .checkpoint(name), "'position', \(position), 'filter', \(filter)")
      }
    }
  }

  func renameCheckpoint(_ name: String, to newName: String) throws {
    try requireNoProjection(named: newName)
    try withCheckpoint(name) {
      try connection.transaction {
        let columns = try connection.strings(
          """
          SELECT quote_ident(attname) FROM pg_attribute
          WHERE attrelid = 'annals.checkpoints'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'name'
          """
        ).joined(separator: ", ")
        let copied = try connection.query(
          """
          INSERT INTO annals.checkpoints (name, \(raw: columns))
          SELECT \(newName), \(raw: columns) FROM annals.checkpoints WHERE name = \(name)
          ON CONFLICT DO NOTHING RETURNING 1
          """
        )
        guard !copied.isEmpty else {
          throw EventStoreError(
            .failed,
            "there is a checkpoint '\(newName)' already",
            hint: "Choose another name, or remove that one."
          )
        }
        _ = try connection.query(
          "UPDATE annals.parked_events SET checkpoint = \(newName) WHERE checkpoint = \(name)"
        )
        _ = try connection.query("DELETE FROM annals.checkpoints WHERE name = \(name)")
        try audit(.renameCheckpoint, .checkpoint(name), "'to', \(newName)")
      }
    }
  }

  /// Runs `body` while no replay uses the checkpoint.
  private func withCheckpoint(_ name: String, _ body: () throws -> Void) throws {
    try requireSchema()
    let found = try connection.query("SELECT store FROM annals.checkpoints WHERE name = \(name)")
    guard !found.isEmpty else {
      let isProjection = try !connection.query("SELECT FROM annals.projections WHERE name = \(name)").isEmpty
      throw EventStoreError(
        .notFound,
        isProjection
          ? "'\(name)' is the name of a projection, not of a replay's checkpoint"
          : "there is no checkpoint '\(name)'",
        hint: isProjection ? "See \(.projections(name: name))." : "List them with \(.checkpoints)."
      )
    }
    let store = found[0].string("store")
    guard store.hasSameBytes(as: table.description) else {
      throw EventStoreError(
        .failed,
        "checkpoint '\(name)' is one of \(store), not of \(table)",
        hint: "Name that table with \(.table(store))."
      )
    }
    try AdvisoryLock.hold(Checkpoint.lockName(name), connection, body)
  }
}
