internal import SystemPackage

/// A file named on the command line, read whole; `-` is standard input.
enum InputFile {
  static func read(_ path: String) throws -> [UInt8] {
    do {
      guard path != "-" else { return try readAll(.standardInput) }
      let file = try FileDescriptor.open(FilePath(path), .readOnly)
      return try file.closeAfter { try readAll(file) }
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
  }

  private static func readAll(_ file: FileDescriptor) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let piece = try CLibrary.read(file, atMost: 1 << 16)
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }
}

extension CommandError {
  static func unreadable(_ path: String, _ error: Errno) -> CommandError {
    CommandError(
      .badInput,
      "cannot read \(path): \(error)",
      code: "unreadableFile",
      hint: "Check the name, and that the file can be read."
    )
  }
}
