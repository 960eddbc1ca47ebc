internal import Glibc
internal import SystemPackage

/// The input of `append --from`, read piece by piece.
final class EventInput: Sendable {
  private let file: FileDescriptor
  private let path: String

  init(_ path: String) throws {
    self.path = path
    do {
      file = path == "-" ? .standardInput : try FileDescriptor.open(FilePath(path), .readOnly)
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
  }

  deinit {
    if path != "-" { try? file.close() }
  }

  /// The next bytes; nil at the end.
  func next() throws -> [UInt8]? {
    do {
      try waitUntilReadable()
      let bytes = try CLibrary.read(file, atMost: 1 << 18)
      return bytes.isEmpty ? nil : bytes
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
  }

  /// Waits in small steps, so that an interruption ends also the wait for a pipe that says nothing.
  private func waitUntilReadable() throws {
    while try !CLibrary.isReadable(file, withinMilliseconds: 200) { try Task.checkCancellation() }
  }
}
