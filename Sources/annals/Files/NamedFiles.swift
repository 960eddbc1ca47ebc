internal import FoundationEssentials

/// The files that a command line names.
enum NamedFiles {
  /// The given paths; for a folder, its files whose names end in a suffix, in the order of their names.
  ///
  /// - Parameter none: the error for a folder without such a file.
  static func paths(
    _ given: [String],
    endingIn suffix: String,
    orThrow none: (_ folder: String) -> CommandError
  ) throws -> [String] {
    try given.flatMap { path in
      guard isFolder(path) else { return [path] }
      let found = try contents(of: path, endingIn: suffix)
      if found.isEmpty { throw none(path) }
      return found
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
  }

  private static func contents(of folder: String, endingIn suffix: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { name in
      name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) && name.utf8.first != UInt8(ascii: ".")
    }
    let sorted = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    return sorted.map { path(of: $0, in: folder) }
  }

  static func path(of name: String, in folder: String) -> String {
    folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
  }
}
