internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Standard output: only data, buffered, and ended quietly when its reader has left.
///
/// ``print(_:)`` and ``writeJSON(_:)`` make their text harmless for a terminal. `writeRaw` does not: it is for
/// scripts and files that programs read.
enum StandardOutput {
  static let isTerminal = isatty(STDOUT_FILENO) == 1
  private static let buffer = Mutex<[UInt8]>([])
  private static let bufferSize = 1 << 16
  /// The file in which output waits for ``release()``; nil when it does not wait.
  private static let spool = Mutex<FileDescriptor?>(nil)
  private static let pager = Mutex<Pager?>(nil)
  /// The next frame, which will replace the one on the terminal; nil if output is written at once.
  private static let frame = Mutex<[UInt8]?>(nil)

  /// Writes a line for people, in which no character can control a terminal or begin another line.
  static func print(_ line: String = "") { writeRaw(TextEscaping.forPeople(line) + "\n") }

  /// Writes JSON text. At a terminal unsafe characters become JSON escapes, so that the value is the same.
  static func writeJSON(_ json: String) { writeRaw(isTerminal ? TextEscaping.forJSON(json) : json) }

  static func writeJSON(_ lines: [UInt8]) {
    if isTerminal { writeJSON(String(decoding: lines, as: UTF8.self)) } else { writeRaw(lines) }
  }

  static func writeRaw(_ bytes: [UInt8]) {
    if bytes.count >= bufferSize {
      flush()
      return writeThrough(bytes)
    }
    let isFull = buffer.withLock { buffer in
      buffer += bytes
      return buffer.count >= bufferSize
    }
    if isFull { flush() }
  }

  static func writeRaw(_ text: String) {
    writeRaw(Array(text.utf8))
  }

  /// Writes the buffer.
  static func flush() {
    let bytes = buffer.withLock { buffer in
      defer { buffer.removeAll(keepingCapacity: true) }
      return buffer
    }
    writeThrough(bytes)
  }

  /// If the reader has left, the process ends as by SIGPIPE; if the disk is full, with a message.
  private static func writeThrough(_ bytes: [UInt8]) {
    if bytes.isEmpty { return }
    let isKept = frame.withLock { frame in
      frame?.append(contentsOf: bytes)
      return frame != nil
    }
    if isKept { return }
    do {
      if let pager = pager.withLock({ $0 }) { return try pager.write(bytes) }
      try (spool.withLock { $0 } ?? .standardOutput).writeAll(bytes)
    } catch Errno.brokenPipe {
      exit(ExitStatus.brokenPipe.rawValue)
    } catch {
      StandardError.print("annals: error: cannot write to standard output: \(error)")
      exit(ExitStatus.failure.rawValue)
    }
  }

  /// Keeps the output from now on, until ``endFrame(below:)`` draws it.
  static func beginFrame() {
    flush()
    frame.withLock { $0 = [] }
  }

  /// Draws the frame from the first line of the terminal on, with as many lines as fit, below a title.
  static func endFrame(below title: String) {
    flush()
    let height = max(2, CLibrary.terminalRows(STDOUT_FILENO) ?? 24)
    let text = frame.withLock { frame in
      defer { frame = nil }
      return String(decoding: frame ?? [], as: UTF8.self)
    }
    var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    let room = height - 2
    if lines.count > room { lines = lines.prefix(room - 1) + ["(\(lines.count - room + 1) more lines)"] }
    // The rest of each line is cleared, and so is everything below, so nothing flickers.
    let drawn = ([Terminal.cut(title, to: Terminal.width)] + lines).map { $0 + "\u{1B}[K\n" }.joined()
    writeRaw("\u{1B}[H\(drawn)\u{1B}[J")
    flush()
  }

  /// Writes the frame as plain output.
  static func dropFrame() {
    flush()
    let bytes = frame.withLock { frame in
      defer { frame = nil }
      return frame ?? []
    }
    writeThrough(bytes)
  }

  /// From now on output goes to a pager, or (nil) to the reader of standard output.
  static func divert(to pager: Pager?) {
    self.pager.withLock { $0 = pager }
  }

  /// The maximum width of a table; nil if lines may have any length, as in a file or a pager that scrolls sideways.
  static var tableWidth: Int? {
    guard isTerminal, pager.withLock({ $0?.scrollsSideways }) != true else { return nil }
    return Terminal.width
  }

  /// Keeps the output from now on in a file without a name, until ``release()``; without that, nobody sees it.
  static func hold() throws {
    flush()
    let path = "\(CLibrary.environment("TMPDIR") ?? "/tmp")/annals-output.\(UInt64.random(in: .min ... .max))"
    let file = try FileDescriptor.open(
      FilePath(path),
      .readWrite,
      options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
      permissions: .ownerReadWrite
    )
    CLibrary.remove(path)
    spool.withLock { $0 = file }
  }

  /// Writes the output that was held back, and ends holding back.
  static func release() throws {
    flush()
    let held = spool.withLock { file in
      defer { file = nil }
      return file
    }
    guard let file = held else { return }
    try file.closeAfter {
      try file.seek(offset: 0, from: .start)
      while case let piece = try CLibrary.read(file, atMost: 1 << 16), !piece.isEmpty {
        writeRaw(piece)
      }
    }
    flush()
  }
}

/// Standard error: for people. Everything that is written here is made harmless for a terminal. A text of several lines
/// is given as lines, so that no text within one can begin another.
enum StandardError {
  static let isTerminal = isatty(STDERR_FILENO) == 1
  private static let bar = Mutex<String?>(nil)

  static func print(_ lines: String...) { print(lines: lines) }

  static func print(lines: [String]) { write(lines.map { TextEscaping.forPeople($0) + "\n" }.joined()) }

  /// Writes JSON on a separate line.
  static func printJSON(_ json: String) { write(TextEscaping.forJSON(json) + "\n") }

  /// Writes a question, which is answered on the same line.
  static func ask(_ question: String) { write(TextEscaping.forPeople(question) + " ") }

  /// Writes text above the bar, if there is one.
  private static func write(_ text: String) {
    bar.withLock { bar in writeThrough(bar.map { clearing + text + $0 + "\r" } ?? text) }
  }

  /// Draws a line that stays below other output, and replaces the last one; nil removes it.
  ///
  /// The cursor stays at its beginning. A terminal that was made narrower breaks the line, and the cursor moves with
  /// its character. So clearing from the cursor on removes the whole line, and nothing above.
  static func draw(_ line: String?) {
    let line = line.map(TextEscaping.forPeople)
    bar.withLock { bar in
      guard line != nil || bar != nil else { return }
      writeThrough(line.map { "\r\($0)\u{1B}[J\r" } ?? clearing)
      bar = line
    }
  }

  /// Clears the terminal from the beginning of the line on.
  private static let clearing = "\r\u{1B}[J"

  private static func writeThrough(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll(Array(text.utf8))
  }

  /// Writes it with or without a terminal.
  static func warn(_ text: String) {
    print("annals: \(text)")
  }

  /// Writes it only on a terminal: elsewhere a command that succeeded is silent.
  static func note(_ text: String) {
    if isTerminal { warn(text) }
  }
}
