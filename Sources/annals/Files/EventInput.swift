internal import Synchronization
internal import SystemPackage

/// The input of `append --from`, which shows how much of it was read.
final class EventInput: Sendable {
  private let input: InputFile
  private let progress: ProgressLine
  /// Nil for a pipe.
  private let size: Int64?
  private let read = Mutex((bytes: Int64(0), lines: Int64(0)))

  init(_ path: String, _ progress: ProgressLine) throws {
    input = try InputFile(path)
    self.progress = progress
    size = Self.sizeToRead(input.file)
  }

  var file: FileDescriptor { input.file }

  /// The rest of a file from its current place; a pipe has no place, and its end is not known.
  private static func sizeToRead(_ file: FileDescriptor) -> Int64? {
    guard let start = try? file.seek(offset: 0, from: .current) else { return nil }
    defer { _ = try? file.seek(offset: start, from: .start) }
    return (try? file.seek(offset: 0, from: .end)).map { $0 - start }
  }

  /// The next bytes; nil at the end.
  func next() throws -> [UInt8]? {
    let bytes = try input.next()
    let done = read.withLock { read in
      read.bytes += Int64(bytes?.count ?? 0)
      read.lines += Int64(bytes?.count { $0 == UInt8(ascii: "\n") } ?? 0)
      return read
    }
    progress.show(done: done.bytes, of: size, events: done.lines)
    return bytes
  }
}
