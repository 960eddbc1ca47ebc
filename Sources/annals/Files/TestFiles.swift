internal import EventStore

/// The files of tests that a command line names.
enum TestFiles {
  /// Reads files, and from folders those whose names end in `.test.sql`, in the order of their names.
  ///
  /// All are read before any test runs, so that one run shows all mistakes.
  static func read(_ paths: [String]) throws -> [TestFile] {
    let paths = try NamedFiles.paths(paths, endingIn: ".test.sql") { folder in
      CommandError(
        .notFound,
        "there is no test in \(folder)",
        code: "notFound",
        hint: "Tests are files whose names end in .test.sql; see annals-test(5)."
      )
    }
    var files: [TestFile] = []
    var isWrong = false
    for path in paths {
      do {
        files.append(try TestFile(path: path, bytes: try InputFile.read(path), read: contents(ofNamed:)))
      } catch let error as EventStoreError where error.code == .invalidDefinition && paths.count > 1 {
        StandardError.warn(error.message)
        if let hint = error.hint { StandardError.print("HINT:  \(Advice.text(hint))") }
        isWrong = true
      }
    }
    if isWrong { throw EndWithStatus(status: .badDefinition) }
    return files
  }

  /// If a file that a test names cannot be read, the test is wrong.
  private static func contents(ofNamed path: String) throws -> [UInt8] {
    do { return try InputFile.read(path) } catch let error as CommandError {
      throw EventStoreError(.invalidDefinition, error.message, hint: error.hint.map { Hint($0) })
    }
  }
}
