internal import Glibc
internal import SystemPackage

/// A file named on the command line, read whole; `-` is standard input.
enum InputFile {
  /// What is read, and how long it may be: more is refused before it takes memory.
  enum Kind {
    /// A file of SQL, or a plan.
    case definition
    /// The jsonb of an event, of which PostgreSQL stores as much (jsonb.h, JENTRY_OFFLENMASK).
    case payload

    var maximumBytes: Int { self == .payload ? 0x0FFF_FFFF : 16 << 20 }
    var name: String { self == .payload ? "the payload" : "the file" }
  }

  static func read(_ path: String, _ kind: Kind = .definition) throws -> [UInt8] {
    do {
      guard path != "-" else { return try readAll(.standardInput, path, kind) }
      let file = try FileDescriptor.openInput(path)
      return try file.closeAfter { try readAll(file, path, kind) }
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
  }

  private static func readAll(_ file: FileDescriptor, _ path: String, _ kind: Kind) throws -> [UInt8] {
    let status = CLibrary.status(of: file)
    if status?.isDevice == true, isatty(file.rawValue) == 0, path != "/dev/null" {
      throw tooLong(kind, path, "is read from a device, which has no end")
    }
    if status?.isRegular == true, status?.size ?? 0 > kind.maximumBytes { throw tooLong(kind, path) }
    var bytes: [UInt8] = []
    while true {
      if bytes.count > kind.maximumBytes { throw tooLong(kind, path) }
      let piece = try file.readInput(atMost: 1 << 16)
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }
}

extension InputFile {
  private static func tooLong(_ kind: Kind, _ path: String, _ fault: String? = nil) -> CommandError {
    let place = path == "-" ? "on standard input" : path
    return CommandError(
      .badInput,
      "\(kind.name) \(place) \(fault ?? "is longer than \(Field.grouped(Int64(kind.maximumBytes))) bytes")",
      code: "invalidInput",
      hint: fault != nil
        ? "Name a file or a pipe."
        : kind == .payload
          ? "PostgreSQL stores no JSON that is longer. Keep large contents elsewhere, and their place in the payload."
          : "Check that it is the file that you mean."
    )
  }
}

/// Reading that an interruption ends: a pipe may stay silent for ever, and a FIFO cannot even be opened before its writer.
extension FileDescriptor {
  static func openInput(_ path: String) throws -> FileDescriptor {
    try open(FilePath(path), .readOnly, options: [.nonBlocking, .closeOnExec])
  }

  /// The next bytes, as soon as there are any; none at the end.
  func readInput(atMost count: Int) throws -> [UInt8] {
    while true {
      while try !CLibrary.isReadable(self, withinMilliseconds: 100) { try Task.checkCancellation() }
      do { return try CLibrary.read(self, atMost: count) } catch Errno.wouldBlock {}
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
