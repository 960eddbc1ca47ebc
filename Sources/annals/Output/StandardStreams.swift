internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Standard output: data only, buffered, and ended quietly when nobody reads it any more.
enum StandardOutput {
  static let isTerminal = isatty(STDOUT_FILENO) == 1
  private static let buffer = Mutex<[UInt8]>([])

  static func write(_ bytes: [UInt8]) {
    let isFull = buffer.withLock { buffer in
      buffer += bytes
      return buffer.count >= 1 << 16
    }
    if isFull { flush() }
  }

  static func write(_ text: String) {
    write(Array(text.utf8))
  }

  /// Writes what is buffered. A reader that went away ends the process as SIGPIPE would, a full disk with a message.
  static func flush() {
    let bytes = buffer.withLock { buffer in
      defer { buffer.removeAll(keepingCapacity: true) }
      return buffer
    }
    do {
      try FileDescriptor.standardOutput.writeAll(bytes)
    } catch Errno.brokenPipe {
      exit(ExitStatus.brokenPipe.rawValue)
    } catch {
      StandardError.write("annals: error: cannot write to standard output: \(error)\n")
      exit(ExitStatus.failure.rawValue)
    }
  }
}

/// Standard error: for people.
enum StandardError {
  static let isTerminal = isatty(STDERR_FILENO) == 1

  static func write(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll(Array(text.utf8))
  }

  /// Says it whether or not somebody watches.
  static func warn(_ text: String) {
    write("annals: \(text)\n")
  }

  /// Says it on a terminal only: a command that did what it was told is silent elsewhere.
  static func note(_ text: String) {
    if isTerminal { warn(text) }
  }
}
