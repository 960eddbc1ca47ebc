internal import EventStore
internal import Glibc
internal import SystemPackage

/// The few calls of the C library that take pointers, so that the rest of the executable has none.
enum CLibrary {
  /// An environment variable; nil if it is not set, or if it is empty and an empty value has no meaning.
  static func environment(_ name: String, orEmpty: Bool = false) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty && !orEmpty ? nil : text
  }

  /// Removes an environment variable, before anything reads it.
  static func unset(_ name: String) {
    unsafe _ = unsetenv(name)
  }

  /// The bytes of an environment variable; nil when it is not set.
  static func environmentBytes(_ name: String) -> [UInt8]? {
    unsafe getenv(name).map { unsafe bytes($0) }
  }

  /// The bytes of the process's arguments, without the program's name.
  static var arguments: [[UInt8]] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      unsafe CommandLine.unsafeArgv[index].map { unsafe bytes($0) }
    }
  }

  private static func bytes(_ text: UnsafeMutablePointer<CChar>) -> [UInt8] {
    unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }

  /// The next bytes of a file or pipe; none at its end.
  static func read(_ file: FileDescriptor, atMost count: Int) throws -> [UInt8] {
    try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// Whether reading would not block, or would end or fail at once.
  static func isReadable(_ file: FileDescriptor, withinMilliseconds timeout: Int32) throws -> Bool {
    var descriptor = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
    let count = unsafe poll(&descriptor, 1, timeout)
    if count < 0, errno != EINTR { throw Errno(rawValue: errno) }
    return count > 0
  }

  /// Ends the process by a signal, as if it had no handler.
  static func die(by number: Int32) -> Never {
    signal(number, SIG_DFL)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, number)
    // A thread of Dispatch has signals blocked.
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    raise(number)
    _exit(128 + number)
  }

  /// The width of the terminal behind a file descriptor; nil if it is not a terminal.
  static func terminalColumns(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  static func terminalRows(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
  }

  /// The time of the system's clock, to the second.
  static var now: Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    // The system counts from 1970, PostgreSQL from 2000.
    return Timestamp(microseconds: (Int64(time.tv_sec) - 946_684_800) * 1_000_000)
  }

  /// The system's facts about a file.
  struct FileStatus {
    fileprivate let status: stat

    var isRegular: Bool { status.st_mode & S_IFMT == S_IFREG }
    var isFolder: Bool { status.st_mode & S_IFMT == S_IFDIR }
    /// Whether every user of the system may read it.
    var isReadableByAll: Bool { status.st_mode & S_IROTH != 0 }
    var isSocket: Bool { status.st_mode & S_IFMT == S_IFSOCK }
    /// Whether it is a device other than a terminal.
    var isDevice: Bool { [S_IFCHR, S_IFBLK].contains(status.st_mode & S_IFMT) }
    var permissions: mode_t { status.st_mode & 0o777 }
    var size: Int64 { Int64(status.st_size) }
    var device: UInt64 { UInt64(status.st_dev) }
    var inode: UInt64 { UInt64(status.st_ino) }
  }

  /// Nil when nothing is there.
  static func status(of path: String) -> FileStatus? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? FileStatus(status: status) : nil
  }

  static func status(of file: FileDescriptor) -> FileStatus? {
    var status = stat()
    return unsafe fstat(file.rawValue, &status) == 0 ? FileStatus(status: status) : nil
  }

  /// Makes writes wait for room from now on, if the file was opened without waiting.
  static func waitForRoom(in file: FileDescriptor) {
    _ = fcntl(file.rawValue, F_SETFL, fcntl(file.rawValue, F_GETFL) & ~O_NONBLOCK)
  }

  static func truncate(_ file: FileDescriptor, to size: Int64) {
    _ = ftruncate(file.rawValue, off_t(size))
  }

  /// The permissions that the operator's umask leaves. It can only be read by setting it.
  static let permissionsOfNewFiles: mode_t = {
    let mask = umask(0o077)
    umask(mask)
    return 0o666 & ~mask
  }()

  /// A Unix socket at a path, which only its owner may open. This is true from its first moment on: Linux gives the
  /// file the mode that the socket has when it is bound (`unix_bind_bsd` in af_unix.c).
  static func boundSocket(_ path: String) throws -> FileDescriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Errno.fileNameTooLong }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    let failed = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe fchmod(descriptor, 0o600) != 0
          || bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) != 0
      }
    }
    guard failed else { return FileDescriptor(rawValue: descriptor) }
    let reason = Errno(rawValue: errno)
    close(descriptor)
    throw reason
  }

  /// Renames a file in one step; false when it failed, with the reason in `errno`.
  static func rename(_ path: String, to newPath: String) -> Bool {
    unsafe Glibc.rename(path, newPath) == 0
  }

  static func remove(_ path: String) {
    unsafe _ = unlink(path)
  }
}
