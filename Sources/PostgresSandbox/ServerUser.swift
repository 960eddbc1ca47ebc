internal import FoundationEssentials
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// The operating-system user that owns the sandbox's files and runs its server.
///
/// PostgreSQL refuses to run as root. So root runs it as `postgres`, or as `nobody` if there is no such user;
/// an existing sandbox is run as its owner. The cluster's superuser has the same name.
struct ServerUser: Sendable {
  let name: String
  let userID: UInt32
  let groupID: UInt32

  /// Whether the current process is root and must give up its rights in every child.
  let dropsPrivileges: Bool

  static var isRoot: Bool { geteuid() == 0 }

  /// - Parameter owner: The owner of the sandbox, if there is one yet.
  static func current(owner: UInt32?) async throws -> ServerUser {
    guard isRoot else {
      return ServerUser(
        name: try await id("-un"),
        userID: geteuid(),
        groupID: getegid(),
        dropsPrivileges: false
      )
    }
    let candidates =
      if let owner, owner != 0 { [try await id("-un", "\(owner)")] } else { ["postgres", "nobody"] }
    for name in candidates {
      if let userID = try? UInt32(await id("-u", name)), let groupID = try? UInt32(await id("-g", name)) {
        return ServerUser(name: name, userID: userID, groupID: groupID, dropsPrivileges: true)
      }
    }
    throw SandboxError(
      .startFailed,
      "PostgreSQL does not run as root, and there is no user \(candidates.joined(separator: " or "))",
      hint: "Run the command as an ordinary user."
    )
  }

  /// Runs a program as this user and collects what it prints.
  ///
  /// Every change inside the sandbox goes through here, so that root never follows a link that the server's
  /// user could have created.
  func run(
    _ program: FilePath,
    _ arguments: [String],
    in directory: FilePath = "/",
    input: String = ""
  ) async throws -> ToolOutput {
    let result = try await Subprocess.run(
      dropsPrivileges ? .name("setpriv") : .path(program),
      arguments: Arguments(dropsPrivileges ? setpriv + [program.string] + arguments : arguments),
      environment: Self.childEnvironment,
      workingDirectory: directory,
      // With .string, swift-subprocess 1.0.2 ends this process where a program ends before it has read its input.
      input: .inputWriter,
      output: .string(limit: outputLimit),
      error: .string(limit: outputLimit)
    ) { _ = try? await $0.standardInputWriter.write(input) }
    return ToolOutput(
      isSuccess: result.terminationStatus.isSuccess,
      standardOutput: result.standardOutput,
      standardError: result.standardError
    )
  }

  /// The arguments of setpriv, with which root runs a command as this user.
  ///
  /// Not Subprocess's own option: its child calls setgroups() before exec. In a child of a process with several
  /// threads that can wait forever for a thread that was just being created (seen in glibc 2.36's setxid_mark_thread).
  private var setpriv: [String] {
    ["--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--"]
  }

  /// Runs a shell script as this user; its arguments are `$1`, `$2` …
  @discardableResult
  func shell(
    _ script: String,
    _ arguments: [String] = [],
    in directory: FilePath,
    input: String = ""
  ) async throws -> ToolOutput {
    let output = try await run("/bin/sh", ["-c", script, "sh"] + arguments, in: directory, input: input)
    guard output.isSuccess else {
      throw SandboxError(
        .directoryUnusable,
        "cannot change the sandbox in \(directory)",
        detail: output.standardError.trimmed,
        hint: "The folder and all that is in it must belong to the user \(name)."
      )
    }
    return output
  }

  /// Messages are in English, because some are recognised. The caller's PG* variables are removed, because they
  /// would lead the tools to another cluster.
  private static var childEnvironment: Environment {
    var changes: [Environment.Key: String?] = ["LC_ALL": "C"]
    for name in ProcessInfo.processInfo.environment.keys where name.utf8.starts(with: "PG".utf8) {
      changes[Environment.Key(stringLiteral: name)] = .some(nil)
    }
    return Environment.inherit.updating(changes)
  }

  private static func id(_ arguments: String...) async throws -> String {
    let result = try await Subprocess.run(
      .name("id"),
      arguments: Arguments(arguments),
      output: .string(limit: outputLimit)
    )
    return result.standardOutput.trimmed
  }
}

struct ToolOutput: Sendable {
  let isSuccess: Bool
  let standardOutput: String
  let standardError: String
}

/// More than any of the tools prints, in bytes.
private let outputLimit = 1 << 20

extension String {
  var trimmed: String {
    let isBlank: (Unicode.Scalar) -> Bool = \.properties.isWhitespace
    let end = unicodeScalars.reversed().drop(while: isBlank).count
    return String(unicodeScalars.prefix(end).drop(while: isBlank))
  }
}
