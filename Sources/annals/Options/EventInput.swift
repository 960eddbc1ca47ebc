internal import Glibc
internal import Synchronization
internal import SystemPackage

/// The input of `append --from`, read piece by piece.
final class EventInput: Sendable {
  let file: FileDescriptor
  private let path: String
  private let progress: ProgressLine
  /// Nil for a pipe.
  private let size: Int64?
  private let read = Mutex((bytes: Int64(0), lines: Int64(0)))

  /// - Parameter progress: is shown how much was read.
  init(_ path: String, _ progress: ProgressLine) throws {
    self.path = path
    self.progress = progress
    do {
      file = path == "-" ? .standardInput : try FileDescriptor.openInput(path)
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
    size = Self.sizeToRead(file)
  }

  /// What a file has from where it stands; a pipe cannot be sought in, and has no end that is known.
  private static func sizeToRead(_ file: FileDescriptor) -> Int64? {
    guard let start = try? file.seek(offset: 0, from: .current) else { return nil }
    defer { _ = try? file.seek(offset: start, from: .start) }
    return (try? file.seek(offset: 0, from: .end)).map { $0 - start }
  }

  deinit {
    if path != "-" { try? file.close() }
  }

  /// The next bytes; nil at the end.
  func next() throws -> [UInt8]? {
    do {
      let bytes = try file.readInput(atMost: 1 << 18)
      let done = read.withLock { read in
        read.bytes += Int64(bytes.count)
        read.lines += Int64(bytes.count { $0 == UInt8(ascii: "\n") })
        return read
      }
      progress.show(done: done.bytes, of: size, events: done.lines)
      return bytes.isEmpty ? nil : bytes
    } catch let error as Errno {
      throw CommandError.unreadable(path, error)
    }
  }
}
