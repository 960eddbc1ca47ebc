internal import ArgumentParser
internal import EventStore

/// The rule that folds events into states.
struct ReducerOptions: ParsableArguments {
  @Option(
    help: "The reducer: see annals-reducer(5). Default: the payloads merged in order.",
    completion: .file(extensions: ["sql"])
  )
  var reducer: String?

  func load() throws -> Reducer {
    guard let reducer else { return .merge }
    return try Reducer(path: reducer, bytes: try InputFile.read(reducer))
  }

  /// Reports sections for types without events.
  ///
  /// - Returns: whether there is no such section.
  func takesKnownTypes(_ loaded: Reducer, _ store: EventStore) async throws -> Bool {
    guard let reducer else { return true }
    let coverage = try await store.typeCoverage(of: loaded)
    coverage.reportUnknown(path: reducer)
    return coverage.unknown.isEmpty
  }
}
