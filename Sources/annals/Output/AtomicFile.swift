internal import Glibc
internal import Synchronization
internal import SystemPackage

/// A file that appears under its name when it is complete: who reads it sees the old one or the new one, never a part.
final class AtomicFile: Sendable {
  private let path: String
  private let temporaryPath: String
  private let descriptor: FileDescriptor
  private let state = Mutex<(buffer: [UInt8], isDone: Bool)>(([], false))

  /// Opens a file of another name in the same folder.
  init(_ path: String) throws {
    self.path = path
    temporaryPath = "\(path).\(getpid()).tmp"
    guard CLibrary.isRegularFile(path) != false else {
      throw AtomicFile.failure(path, "it is there and is no regular file")
    }
    do {
      descriptor = try FileDescriptor.open(
        FilePath(temporaryPath),
        .writeOnly,
        options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead]
      )
    } catch { throw AtomicFile.failure(path, "\(error)") }
  }

  deinit {
    if state.withLock({ $0.isDone }) { return }
    try? descriptor.close()
    CLibrary.remove(temporaryPath)
  }

  func write(_ bytes: [UInt8]) throws {
    try state.withLock { state in
      state.buffer += bytes
      guard state.buffer.count >= 1 << 16 else { return }
      try writeOut(&state.buffer)
    }
  }

  /// Makes the file durable and gives it its name.
  func finish() throws {
    try state.withLock { state in
      try writeOut(&state.buffer)
      // The rename must not reach the disk before the contents do.
      guard fsync(descriptor.rawValue) == 0 else {
        throw AtomicFile.failure(path, "\(Errno(rawValue: errno))")
      }
      try descriptor.close()
      state.isDone = true
      guard CLibrary.rename(temporaryPath, to: path) else {
        let reason = Errno(rawValue: errno)
        CLibrary.remove(temporaryPath)
        throw AtomicFile.failure(path, "\(reason)")
      }
    }
  }

  private func writeOut(_ buffer: inout [UInt8]) throws {
    do { try descriptor.writeAll(buffer) } catch { throw AtomicFile.failure(path, "\(error)") }
    buffer.removeAll(keepingCapacity: true)
  }

  private static func failure(_ path: String, _ reason: String) -> CommandError {
    CommandError(.failure, "cannot write \(path): \(reason)", code: "unwritableFile")
  }
}
