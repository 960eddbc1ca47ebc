internal import LibPQ

/// The dead letters of a projection are applied to its live read model again.
extension StoreConnection {
  func retryDeadLetters(
    of projection: String,
    at positions: [Int64],
    with repaired: Projection?
  ) throws -> DeadLetterRetryResult {
    try requireSchema()
    guard try consumer(named: projection) == .projection else {
      throw EventStoreError(
        .invalidInput,
        "'\(projection)' is a checkpoint, whose events go to a command",
        hint: "Name the command: \(.retryByCommand)."
      )
    }
    let live = try requireLiveGeneration(of: projection)
    let file =
      try repaired.map { try definition(of: $0) } ?? Projection(checking: live.path, sameIdentity(live))
    if repaired != nil { try live.requireSameTables(file) }
    let source = try eventSource()
    let apply = ProjectionCompiler(file, source: source).applyFunction()
    try createFunction(apply)
    return try AdvisoryLock.hold(Self.lockOfDeadLetters(projection), connection) {
      var result = DeadLetterRetryResult()
      for position in try parkedPositions(positions, of: .generation(live)) {
        let isApplied = try retryLetter(position, file, source, apply)
        if isApplied { result.applied += 1 } else { result.failed += 1 }
      }
      return result
    }
  }

  private func retryLetter(
    _ position: Int64,
    _ file: Projection,
    _ source: String,
    _ apply: GeneratedCode
  ) throws -> Bool {
    var subject: Generation?
    do {
      try connection.transaction {
        _ = try lockProjection(file.name)
        let live = try requireLiveGeneration(of: file.name)
        subject = live
        let before = position == .min ? nil : position - 1
        _ = try connection.handleEvents(by: apply, after: before, upTo: position, within: live.confinement)
        try DeadLetterOwner.generation(live).settle(position, .applied, connection)
        if !live.isDefined(by: file) {
          try live.adopt(file, upcasters, connection)
          // The new file may handle other types.
          try live.takeAsSeen(file, of: source, connection)
        }
        try audit(
          .retry,
          .projection(file.name),
          "'position', \(position), 'generation', \(live.number), 'version', \(Int32(file.version))"
        )
      }
      return true
    } catch {
      let before = position == .min ? nil : position - 1
      let unreadable = try unreadableEvent(behind: error, after: before, upTo: position)
      guard let poison = error as? PoisonEvent ?? unreadable else { throw error }
      _ = try connection.query(
        """
        UPDATE annals.dead_letters
        SET attempts = attempts + 1, sqlstate = \(poison.sqlState), message = \(poison.message),
            detail = \(poison.cause), failed_at = clock_timestamp()
        WHERE projection = \(file.name) AND generation = \(subject?.number) AND position = \(position)
          AND state = 'parked'
        """
      )
      notify("\(poison.place(in: file.path)) \(poison.subject) failed again: \(poison.message)")
      return false
    }
  }
}

extension Generation {
  fileprivate func requireSameTables(_ file: Projection) throws {
    let built = try Projection(checking: path, Array(definition.utf8))
    guard file.name == projection, file.schema.hasSameBytes(as: built.schema),
      file.create.elementsEqual(built.create, by: { $0.text.hasSameBytes(as: $1.text) })
    else {
      throw EventStoreError(
        .invalidDefinition,
        "\(file.path) makes other tables than those of the live generation \(number) of \(projection)",
        hint:
          "Rebuild with it: \(.rebuild(path: file.path)), which also applies the dead letters."
      )
    }
  }

  /// Makes a repaired file the definition of the live generation.
  fileprivate func adopt(_ file: Projection, _ upcasters: Upcasters, _ connection: Connection) throws {
    let bytes = Parameter.bytea(file.bytes)
    _ = try connection.query(
      """
      UPDATE annals.generations SET definition = convert_from(\(bytes), 'UTF8'), definition_hash = sha256(\(bytes)),
        upcasters = \(Parameter.textArray(upcasters.paths)), version = \(Int32(file.version)), error = NULL
      WHERE \(isThis)
      """
    )
  }
}
