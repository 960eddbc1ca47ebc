import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the sandbox's commands say to people, on stderr.
enum SandboxConsole {
  static var readsTerminal: Bool { isatty(STDIN_FILENO) != 0 }

  /// Says it whether or not somebody watches.
  static func warn(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll("annals: \(text)\n".utf8)
  }

  /// Says it on a terminal only.
  static func note(_ text: String) {
    if isatty(STDERR_FILENO) != 0 { warn(text) }
  }

  static func confirm(_ question: String) -> Bool {
    _ = try? FileDescriptor.standardError.writeAll("\(question) [y/N] ".utf8)
    return ["y", "yes"].contains(readLine()?.lowercased())
  }
}
