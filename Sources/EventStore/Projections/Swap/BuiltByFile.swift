internal import LibPQ

extension Generation {
  /// The file that it was built by, without what ``StoreConnection/identity(_:)`` adds.
  var file: String { StoreConnection.withoutUpcasterComment(definition) }

  /// The upcasters through which its events were read, for messages.
  var reading: String { Self.reading(upcasters) }

  /// How events are read through upcasters of these paths; nil means unknown ones.
  static func reading(_ paths: [String]?) -> String {
    guard let paths else { return "with upcasters whose names are not known, or through a layout" }
    return paths.isEmpty ? "without upcasters" : "with upcasters \(paths.joined(separator: ", "))"
  }
}

extension StoreConnection {
  /// The file that built a generation; nil means the live one.
  func projectionFile(of name: String, generation: Int?) throws -> String {
    try requireSchema()
    try requireProjection(name)
    guard let generation else { return try requireLiveGeneration(of: name).file }
    let kept = try generations(of: name, in: .building, .ready, .live, .retired)
    guard let found = kept.first(where: { Int($0.number) == generation }) else {
      throw Self.noGeneration(generation, of: name, among: kept)
    }
    return found.file
  }

  /// The file that built the live generation.
  func liveProjection(_ name: String) throws -> Projection {
    try requireSchema()
    try requireProjection(name)
    let live = try requireLiveGeneration(of: name)
    return try Projection(checking: live.path, Array(live.file.utf8))
  }

  /// Whether a generation was built by this text, with whatever upcasters.
  func isWritten(_ generation: Generation, as file: Projection) -> Bool {
    Self.withoutUpcasterComment(String(decoding: file.bytes, as: UTF8.self))
      .hasSameBytes(as: generation.file)
  }

  static func noGeneration(_ number: Int, of name: String, among kept: [Generation]) -> EventStoreError {
    EventStoreError(
      .notFound,
      "projection \(name) has no generation \(number)",
      hint: "Name one that is kept: \(kept.map { "\($0.number)" }.joined(separator: ", "))."
    )
  }

  /// Refuses to keep a read model current by a file that did not build it, and says what happened to it since.
  func requireSameFile(_ live: Generation, _ file: Projection) throws {
    if live.isDefined(by: file) { return }
    if isWritten(live, as: file) { _ = try sameIdentity(live) }
    let hasNoUpcasters = live.upcasters == [] && upcasters.isEmpty
    var error = EventStoreError(
      .invalidDefinition,
      "\(file.path) is not the file that the live generation \(live.number) of \(live.projection) was built by",
      detail: "The file is version \(file.version), the live read model was built by version \(live.version)"
        + (hasNoUpcasters ? "." : ", \(live.reading)."),
      hint: live.upcasters == [] || !upcasters.isEmpty
        ? "Rebuild with it: \(.rebuild(path: file.path))."
        : "Rebuild with it: \(.rebuild(path: file.path)), with \(.upcasters) if upcasters still apply to its events."
    )
    if let rollback = try rollback(to: live) {
      error.detail = "\(rollback). \(error.detail ?? "")"
      error.hint =
        "Use the file that built it: \(.projectionFile(name: live.projection, generation: Int(live.number)))."
        + " A rebuild from \(file.path) would undo the rollback."
    }
    throw error
  }

  /// Who rolled back to a live generation, and when; nil when it went live by a rebuild.
  private func rollback(to live: Generation) throws -> String? {
    let sql: SQL = """
      SELECT a.at, a.role, a.detail->>'from' AS former, a.detail->>'to' = \("\(live.number)") AS is_this
      FROM annals.audit a
      JOIN annals.generations g ON g.projection = \(live.projection) AND g.number = \(live.number) AND a.at >= g.started_at
      WHERE a.action = \(AuditAction.rollback.rawValue) AND a.subject = \("\(Consumer.projection) \(live.projection)")
      ORDER BY a.id DESC LIMIT 1
      """
    return try connection.query(sql).first { row -> String? in
      guard row.bool("is_this") else { return nil }
      let (time, role) = (row.timestamp("at"), row.string("role"))
      return "Generation \(row.string("former")) was rolled back to \(live.number) at \(time) by \(role)"
    } ?? nil
  }
}
