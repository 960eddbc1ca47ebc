internal import Glibc
internal import Synchronization
internal import SystemPackage

/// A file that appears under its name when it is complete: a reader sees the old one or the new one, never a part.
///
/// Until then it has a random name in the same folder, and only its owner can read it. It is removed when the work
/// fails or is interrupted.
final class OutputFile: Sendable {
  private let path: String
  private let temporaryPath: String
  private let descriptor: FileDescriptor
  private let state = Mutex<(buffer: [UInt8], isDone: Bool)>(([], false))

  init(_ path: String) throws {
    self.path = path
    temporaryPath = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
    guard CLibrary.status(of: path)?.isRegular != false else {
      throw CommandError.unwritable(path, "it exists and is not a regular file")
    }
    do {
      // With a random name, nobody can have put a file or a link there before.
      descriptor = try FileDescriptor.open(
        FilePath(temporaryPath),
        .writeOnly,
        options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
        permissions: .ownerReadWrite
      )
    } catch { throw CommandError.unwritable(path, "\(error)") }
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

  /// Makes the file durable and gives it its name, with the permissions of the file that it replaces.
  func finish() throws {
    try state.withLock { state in
      try writeOut(&state.buffer)
      let mode = CLibrary.status(of: path)?.permissions ?? CLibrary.permissionsOfNewFiles
      // The rename must not reach the disk before the contents do.
      guard fchmod(descriptor.rawValue, mode) == 0, fsync(descriptor.rawValue) == 0,
        CLibrary.rename(temporaryPath, to: path)
      else { throw CommandError.unwritable(path, "\(Errno(rawValue: errno))") }
      state.isDone = true
      try descriptor.close()
      syncFolder()
    }
  }

  /// Makes the name durable. Some file systems cannot do that, but keep it nevertheless.
  private func syncFolder() {
    let folder = FilePath(path).removingLastComponent()
    guard let file = try? FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly, options: .closeOnExec)
    else {
      return
    }
    fsync(file.rawValue)
    try? file.close()
  }

  private func writeOut(_ buffer: inout [UInt8]) throws {
    do { try descriptor.writeAll(buffer) } catch { throw CommandError.unwritable(path, "\(error)") }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Writes a whole file.
  static func write(_ text: String, to path: String) throws {
    let file = try OutputFile(path)
    try file.write(Array(text.utf8))
    try file.finish()
  }
}

extension CommandError {
  static func unwritable(_ path: String, _ reason: String, hint: String? = nil) -> CommandError {
    CommandError(.failure, "cannot write \(path): \(reason)", code: "unwritableFile", hint: hint)
  }
}
