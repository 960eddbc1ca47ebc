internal import LibPQ

/// What a rollback did.
public struct RollbackResult: Sendable, Hashable {
  /// The generation that is live now.
  public let generation: Int
  /// The one that was live before.
  public let replaced: Int
  /// The position up to which the read model now holds history.
  public let position: Int64
  /// Events after that.
  public let eventsBehind: Int64
}

extension StoreConnection {
  func rollBackProjection(_ name: String) throws -> RollbackResult {
    try requireSchema()
    try requireProjection(name)
    return try AdvisoryLock.hold(Projection.lockOfRebuild(name), connection) {
      atSwapStep?(.begun)
      let (result, missing) = try whenUnlocked(
        "tables of projection \(name)",
        for: "the rollback"
      ) {
        try connection.transaction {
          try connection.execute("SET LOCAL lock_timeout = '300ms'")
          _ = try lockProjection(name)
          return try rollBack(name)
        }
      }
      atSwapStep?(.swapped)
      warn(ofMissing: missing, in: name)
      return result
    }
  }

  /// No row changes, and none has changed since the generation retired: a reader's snapshot shows the same rows as
  /// then. So there is no need to wait for snapshots (see ``SnapshotPatience``).
  private func rollBack(_ name: String) throws -> (RollbackResult, missing: [ReadModelObject]) {
    let live = try requireLiveGeneration(of: name)
    guard let previous = try generations(of: name, in: .retired).first else {
      throw EventStoreError(
        .notFound,
        "projection \(name) has no earlier generation",
        hint: "Rebuild with the earlier file: \(.rebuild())."
      )
    }
    let additions = try lackingAdditions(of: previous)
    let missing = try swap(previous, keepsOwnGrants: false)
    for addition in additions where !addition.isTrigger {
      notify(
        "\(addition.description) was on generation \(live.number) and is not on \(previous.number); create it again"
      )
    }
    try audit(.rollback, .projection(name), "'from', \(live.number), 'to', \(previous.number)")
    let behind: SQL = "SELECT count(*) FROM \(raw: relation) e WHERE position > \(previous.position)"
    let result = RollbackResult(
      generation: Int(previous.number),
      replaced: Int(live.number),
      position: previous.position,
      eventsBehind: try connection.query(behind).int64(0, 0)
    )
    return (result, missing)
  }

  func dropProjection(_ name: String) throws {
    try requireSchema()
    try requireProjection(name)
    try AdvisoryLock.hold(Projection.lockOfRebuild(name), connection) {
      try AdvisoryLock.hold("projection \(name)", connection) {
        try whenUnlocked("tables of projection \(name)", for: "the drop") {
          try connection.transaction {
            try connection.execute("SET LOCAL lock_timeout = '300ms'")
            _ = try lockProjection(name)
            try drop(name)
          }
        }
      }
    }
  }

  private func drop(_ name: String) throws {
    try liveGeneration(of: name)?.requireNoDependents(connection)
    let generations = try generations(of: name, in: .building, .ready, .live, .retired)
    for generation in generations { try generation.drop(connection) }
    _ = try connection.query("DELETE FROM annals.projections WHERE name = \(name)")
    try audit(.drop, .projection(name), "'generations', \(Parameter.int4Array(generations.map(\.number)))")
  }

  /// Removes a generation that is not live, with its tables and its dead letters.
  ///
  /// - Returns: false when there is none of that number.
  func discardGeneration(_ number: Int32, of name: String) throws -> Bool {
    try AdvisoryLock.hold(Projection.lockOfRebuild(name), connection) {
      try whenUnlocked("tables of projection \(name)", for: "the drop") {
        try connection.transaction {
          try connection.execute("SET LOCAL lock_timeout = '300ms'")
          _ = try lockProjection(name)
          let kept = try generations(of: name, in: .building, .ready, .live, .retired)
          guard let generation = kept.first(where: { $0.number == number }) else { return false }
          guard generation.state != .live else { throw Self.isLive(generation) }
          try generation.requireNoDependents(connection)
          try generation.drop(connection)
          try audit(.drop, .projection(name), "'generation', \(number)")
          return true
        }
      }
    }
  }

  /// The same at the request of an operator.
  func discardGeneration(_ number: Int, ofProjection name: String) throws {
    try requireSchema()
    try requireProjection(name)
    let isDone = try Int32(exactly: number).map { try discardGeneration($0, of: name) } ?? false
    guard !isDone else { return }
    let kept = try generations(of: name, in: .building, .ready, .live, .retired)
    throw Self.noGeneration(number, of: name, among: kept)
  }

  private static func isLive(_ generation: Generation) -> EventStoreError {
    EventStoreError(
      .failed,
      "generation \(generation.number) of projection \(generation.projection) is live",
      hint: "Roll back to another one first, or remove the whole projection: "
        + "\(.dropProjection(name: generation.projection))."
    )
  }

  func setPaused(_ isPaused: Bool, projection name: String) throws {
    try requireSchema()
    try connection.transaction {
      _ = try lockProjection(name)
      _ = try connection.query(
        "UPDATE annals.projections SET is_paused = \(isPaused) WHERE name = \(name)"
      )
      try audit(isPaused ? .pause : .resume, .projection(name))
    }
  }

  func setCheckpoint(of name: String, to position: Int64, from expected: Int64) throws {
    try requireSchema()
    try requireProjection(name)
    try AdvisoryLock.hold("projection \(name)", connection) {
      try proveFinality()
      try requireInStore(position, upTo: try finalPosition())
      try connection.transaction {
        _ = try lockProjection(name)
        var live = try requireLiveGeneration(of: name)
        guard live.position == expected else {
          throw EventStoreError(
            .locked,
            "the checkpoint of projection \(name) is at \(live.position), not at \(expected)",
            hint: "Look again with \(.projections(name: name))."
          )
        }
        try live.advance(to: position, events: 0, seen: nil, connection)
        // The operator who sets it is responsible for the events below.
        let known = try reading(live)
        try live.takeAsSeen(known?.file, of: known?.source, connection)
        try audit(.setCheckpoint, .projection(name), "'from', \(expected), 'to', \(position)")
      }
    }
  }

  /// The file of a live read model, and what its handlers read. Nil if its events go through other upcasters or another
  /// layout than those of this store, or if this version of annals cannot read the file.
  func reading(_ live: Generation) throws -> (file: Projection, source: String)? {
    guard let definition = try? sameIdentity(live),
      let file = try? Projection(checking: live.path, definition)
    else { return nil }
    return (file, try eventSource())
  }

  func requireProjection(_ name: String) throws {
    let found = try connection.query("SELECT FROM annals.projections WHERE name = \(name)")
    if found.isEmpty { throw Self.noProjection(name) }
  }
}
