internal import SystemPackage

/// A file that is read from its beginning to its end, a piece at a time.
final class FileReader: Sendable {
  private let path: String
  private let descriptor: FileDescriptor

  init(_ path: String) throws {
    self.path = path
    do {
      descriptor = try FileDescriptor.openInput(path)
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
  }

  deinit { try? descriptor.close() }

  /// The next bytes; nil at the end.
  @Sendable func read() throws -> [UInt8]? {
    do {
      let bytes = try descriptor.readInput(atMost: 1 << 16)
      return bytes.isEmpty ? nil : bytes
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
  }
}
