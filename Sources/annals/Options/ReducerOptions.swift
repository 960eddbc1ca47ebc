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

  /// Says which sections wait for events that do not come.
  ///
  /// - Returns: whether there is none.
  func takesKnownTypes(_ loaded: Reducer, _ store: EventStore) async throws -> Bool {
    guard let reducer else { return true }
    let coverage = try await store.typeCoverage(of: loaded)
    coverage.reportUnknown(path: reducer)
    return coverage.unknown.isEmpty
  }
}
