internal import ArgumentParser
internal import EventStore

/// Whether archived events are read as well.
struct ArchiveReadOptions: ParsableArguments {
  @Flag(name: .customLong("with-archive"), help: "Also read archived events.")
  var isIncluded = false

  func apply(to store: EventStore) async throws {
    guard isIncluded, try await !store.includeArchive() else { return }
    StandardError.note("\(store.table) has no archive")
  }

  /// The option for another command line, with a blank before it.
  var shellText: String { isIncluded ? " --with-archive" : "" }
}
