internal import ArgumentParser
internal import EventStore

/// A read model of a replay's events, separate from the live ones.
struct ReadModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Build a projection in this new schema; no swap.",
      valueName: "schema"
    )
  )
  var into: String?

  @OptionGroup var progress: ProgressOptions

  @Argument(
    help: "With --into, the projection: see annals-projection(5).",
    completion: .file(extensions: ["sql"])
  )
  var file: String?

  func validate() throws {
    if into == "" { throw ValidationError("--into needs the name of a schema") }
    if into != nil, file == nil { throw ValidationError("--into needs a projection file") }
    if into == nil, let file {
      throw ValidationError(
        "'\(file)' is one argument too many: an aggregate goes with --aggregate, a projection with --into"
      )
    }
    if into == nil, progress.progress != nil { throw ValidationError("--progress needs --into") }
  }

  /// Builds it, if it was requested.
  ///
  /// - Returns: whether it was.
  func build(from query: EventQuery, _ store: EventStore) async throws -> Bool {
    guard let (schema, projection) = try named else { return false }
    try await store.typeCoverage(of: projection).report(path: projection.path)
    let line = progress.line("building \(projection.path) in schema \(schema)")
    defer { line.finish() }
    let build: ReadModelBuild
    do {
      build = try await store.buildReadModel(projection, from: query, into: schema) {
        line.show($0)
      }
    } catch is CancellationError {
      line.finish()
      throw CommandError(
        Interruption.status ?? .interrupted,
        "interrupted",
        code: "interrupted",
        detail: "The current chunk was rolled back. The read model is incomplete and cannot be resumed.",
        hint:
          "Drop it before you start again: \(EventStore.dropUnfinished(schema))"
      )
    }
    line.finish()
    let place = build.position.map { " up to position \(Field.grouped($0))" } ?? ""
    StandardError.note(
      "\(build.projection): \(Field.counted(build.events, "event"))\(place) in schema \(schema)"
    )
    guard build.failedChecks.isEmpty else {
      RebuildReport.print(build.failedChecks, of: projection.path)
      throw EndWithStatus(status: .findings)
    }
    return true
  }

  /// Finds what would stop it.
  func check(_ store: EventStore) async throws {
    guard let (schema, projection) = try named else { return }
    try await store.checkReadModelBuild(projection, into: schema)
    try await store.typeCoverage(of: projection).report(path: projection.path)
  }

  private var named: (schema: String, projection: Projection)? {
    get throws {
      guard let into, let file else { return nil }
      return (into, try Projection(path: file, bytes: try InputFile.read(file)))
    }
  }
}
