internal import EventStore

/// A projection as a command line names it: a file, or the name of one whose file is kept with its live read model.
enum ProjectionArgument: Sendable {
  case file(Projection)
  case name(String)

  /// Reads the file, if it is one: what exists, has a folder, or ends as files of SQL do.
  init(_ argument: String) throws {
    guard Self.isFile(argument) else {
      self = .name(argument)
      return
    }
    self = .file(try Projection(path: argument, bytes: try InputFile.read(argument)))
  }

  private static func isFile(_ argument: String) -> Bool {
    if argument == "-" || argument.utf8.contains(UInt8(ascii: "/")) { return true }
    if argument.utf8.suffix(4).elementsEqual(".sql".utf8) { return true }
    // A folder is often called as the projection whose files it has.
    return CLibrary.status(of: argument).map { !$0.isFolder } ?? false
  }

  var isName: Bool { if case .name = self { true } else { false } }

  func projection(in store: EventStore) async throws -> Projection {
    switch self {
    case .file(let projection): return projection
    case .name(let name):
      do { return try await store.liveProjection(name) } catch let error as EventStoreError
        where error.code == .notFound
      {
        var error = error
        error.detail = "There is no file '\(name)' either."
        throw error
      }
    }
  }
}
