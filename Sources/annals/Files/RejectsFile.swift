internal import SystemPackage

/// The file for bad lines. Its contents are never lost: the lines of an earlier run stay.
final class RejectsFile: Sendable {
  private let file: FileDescriptor
  private let path: String

  /// Opens the file, and changes nothing in it.
  ///
  /// - Parameters:
  ///   - isResumed: the run continues an earlier one, and adds its lines to those.
  ///   - input: the source of the events.
  /// - Throws: ``CommandError`` when it is the input, is not empty, is a link, or cannot be written.
  init(_ path: String, isResumed: Bool, input: FileDescriptor) throws {
    self.path = path
    do {
      // A link could lead to any file that the operator may write.
      // Do not wait for a FIFO without a reader.
      file = try FileDescriptor.open(
        FilePath(path),
        .writeOnly,
        options: [.create, .append, .noFollow, .closeOnExec, .nonBlocking],
        permissions: [.ownerReadWrite, .groupRead, .otherRead]
      )
      CLibrary.waitForRoom(in: file)
    } catch Errno.noSuchAddressOrDevice {
      let hint = "Start the reader of the pipe, or name a file."
      throw CommandError.unwritable(path, "no process reads it", hint: hint)
    } catch Errno.tooManySymbolicLinkLevels {
      throw CommandError.unwritable(path, "it is a symbolic link", hint: "Name the file itself.")
    } catch let error as Errno {
      throw CommandError.unwritable(path, "\(error)")
    }
    do { try check(isResumed: isResumed, input: input) } catch {
      try? file.close()
      throw error
    }
  }

  deinit { try? file.close() }

  private func check(isResumed: Bool, input: FileDescriptor) throws {
    guard let status = CLibrary.status(of: file), status.isRegular else { return }
    if let other = CLibrary.status(of: input), (other.device, other.inode) == (status.device, status.inode) {
      throw CommandError(
        .usage,
        "--rejects \(path) is the file that the events are read from",
        code: "usage",
        hint: "Name another file for the bad lines."
      )
    }
    if status.size > 0, !isResumed {
      throw CommandError(
        .usage,
        "the rejects file \(path) exists and is not empty",
        code: "usage",
        hint:
          "Name another file, or move it. With --skip-lines, bad lines are appended to those of the earlier run."
      )
    }
  }

  /// Adds a line, whole or not at all.
  func write(_ line: [UInt8]) throws {
    let size = CLibrary.status(of: file)?.size
    do { try file.writeAll(line + [UInt8(ascii: "\n")]) } catch let error as Errno {
      if let size { CLibrary.truncate(file, to: size) }
      throw CommandError.unwritable(path, "\(error)")
    }
  }
}
