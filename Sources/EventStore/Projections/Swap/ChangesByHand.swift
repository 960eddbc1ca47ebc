internal import LibPQ

/// What operators changed in a read model by hand, found before anything moves.
extension Generation {
  /// Refuses a generation that lacks an object, or has a foreign one beside it: a swap would replace a whole read model
  /// by a part, or move objects that are not ours.
  func requireWhole(_ connection: Connection) throws {
    // Generations of an earlier version of annals have no record before they go live.
    if objects.isEmpty { return }
    let present = try self.present(in: ownSchema, connection)
    let missing = objects.filter { !present.contains($0) }
    // A build that continues may create more, and handlers may create partitions at any time; earlier versions of
    // annals had no record of multiranges.
    let unrecorded = try connection.strings(
      """
      SELECT 'TABLE ' || quote_ident(relname) FROM pg_class
      WHERE relnamespace = to_regnamespace(\(quoteIdentifier(ownSchema))) AND relispartition
      UNION ALL
      SELECT 'TYPE ' || quote_ident(typname) FROM pg_type
      WHERE typnamespace = to_regnamespace(\(quoteIdentifier(ownSchema))) AND typtype = 'm'
      """
    ).compactMap { ReadModelObject($0) }
    let added =
      state == .building ? [] : present.filter { !objects.contains($0) && !unrecorded.contains($0) }
    var changes: [String] = []
    if !missing.isEmpty { changes.append("it lacks \(missing.phrase)") }
    if !added.isEmpty { changes.append("schema \(ownSchema) also has \(added.phrase)") }
    guard !changes.isEmpty else { return }
    let remedy: Hint =
      missing.isEmpty
      ? "Move that to another schema, or drop it."
      : state == .retired
        ? "Make another with the file that built it: \(.rebuild())."
        : "Start the build again: \(.rebuild()) with \(.restartRebuild)."
    throw EventStoreError(
      .failed,
      "generation \(number) of projection \(projection) is no longer whole: \(changes.joined(separator: "; "))",
      detail: "It was changed by hand, so it is not swapped in. The live read model is unchanged.",
      hint: remedy
    )
  }

  /// Refuses a generation whose objects have the names of foreign objects in the live schema.
  func requireFreeNames(besides live: Generation?, _ connection: Connection) throws {
    let clashes = try connection.searching([liveSchema]) {
      try connection.strings(
        .nameClashes,
        [
          .text(quoteIdentifier(ownSchema)), .text(quoteIdentifier(liveSchema)),
          .textArray(live?.objects.map(\.description) ?? []),
        ]
      )
    }
    guard !clashes.isEmpty else { return }
    throw EventStoreError(
      .invalidDefinition,
      "schema \(liveSchema) already has \(clashes.joined(separator: ", "))",
      detail: "That does not belong to projection \(projection), so nothing replaces it.",
      hint: "Rename it, or name another schema in the file with '-- @schema NAME'."
    )
  }

  /// The schema to which its objects move when another generation goes live; somebody may have dropped it when empty.
  func requireOwnSchema(_ connection: Connection) throws {
    // Not IF NOT EXISTS, which needs the right to create a schema even if it exists.
    if try connection.schemaExists(ownSchema) { return }
    try connection.execute("CREATE SCHEMA \(quoteIdentifier(ownSchema))")
  }
}

extension [ReadModelObject] {
  /// As `table orders, view open_orders`.
  var phrase: String { map { "\($0.kind.rawValue.lowercased()) \($0.name)" }.joined(separator: ", ") }
}
