internal import Glibc
internal import SystemPackage

/// A file named on the command line, read whole by ``read(_:_:)`` or in pieces; `-` is standard input.
///
/// An interruption ends the reading: a pipe may stay silent forever, and a FIFO cannot even be opened without a writer.
final class InputFile: Sendable {
  let file: FileDescriptor
  private let path: String

  init(_ path: String) throws {
    self.path = path
    do {
      file =
        path == "-"
        ? .standardInput
        : try FileDescriptor.open(FilePath(path), .readOnly, options: [.nonBlocking, .closeOnExec])
    } catch let error as Errno {
      throw Self.unreadable(path, error)
    }
  }

  deinit {
    if path != "-" { try? file.close() }
  }

  /// The next bytes, as soon as there are any; nil at the end.
  @Sendable func next() throws -> [UInt8]? {
    do {
      while true {
        while try !CLibrary.isReadable(file, withinMilliseconds: 100) { try Task.checkCancellation() }
        do {
          let bytes = try CLibrary.read(file, atMost: 1 << 18)
          return bytes.isEmpty ? nil : bytes
        } catch Errno.wouldBlock {}
      }
    } catch let error as Errno {
      throw Self.unreadable(path, error)
    }
  }

  private static func unreadable(_ path: String, _ error: Errno) -> CommandError {
    CommandError(
      .badInput,
      "cannot read \(path): \(error)",
      code: "unreadableFile",
      hint: "Check the name, and that the file can be read."
    )
  }
}

extension InputFile {
  /// The kind of file, and its maximum length: a longer one is refused before it takes memory.
  enum Kind {
    /// A file of SQL, or a plan.
    case definition
    /// The jsonb of an event, with the longest text that PostgreSQL stores (jsonb.h, JENTRY_OFFLENMASK).
    case payload

    var maximumBytes: Int { self == .payload ? 0x0FFF_FFFF : 16 << 20 }
    var name: String { self == .payload ? "the payload" : "the file" }
  }

  static func read(_ path: String, _ kind: Kind = .definition) throws -> [UInt8] {
    let input = try InputFile(path)
    let status = CLibrary.status(of: input.file)
    if status?.isDevice == true, isatty(input.file.rawValue) == 0, path != "/dev/null" {
      throw tooLong(kind, path, "is read from a device, which has no end")
    }
    if status?.isRegular == true, status?.size ?? 0 > kind.maximumBytes { throw tooLong(kind, path) }
    var bytes: [UInt8] = []
    while let piece = try input.next() {
      bytes += piece
      if bytes.count > kind.maximumBytes { throw tooLong(kind, path) }
    }
    return bytes
  }

  private static func tooLong(_ kind: Kind, _ path: String, _ fault: String? = nil) -> CommandError {
    let place = path == "-" ? "on standard input" : path
    return CommandError(
      .badInput,
      "\(kind.name) \(place) \(fault ?? "is longer than \(Field.grouped(Int64(kind.maximumBytes))) bytes")",
      code: "invalidInput",
      hint: fault != nil
        ? "Name a file or a pipe."
        : kind == .payload
          ? "PostgreSQL cannot store longer JSON. Store large contents elsewhere, and a reference in the payload."
          : "Check that it is the right file."
    )
  }
}
