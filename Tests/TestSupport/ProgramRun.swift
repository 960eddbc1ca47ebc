import FoundationEssentials
package import Subprocess
package import SystemPackage

/// What a program did.
package struct ProgramRun: Sendable {
  package let status: TerminationStatus
  package let outputBytes: [UInt8]
  package let standardError: String

  package var standardOutput: String { String(decoding: outputBytes, as: UTF8.self) }

  /// Nil when a signal ended the program.
  package var exitCode: Int32? {
    if case .exited(let code) = status { code } else { nil }
  }
}

/// The built `annals`.
package enum AnnalsBinary {
  /// SwiftPM puts it beside the test bundle, whose path is among this process's arguments.
  package static var path: FilePath {
    for argument in CommandLine.arguments {
      var path = FilePath(argument)
      while !path.components.isEmpty {
        if path.extension == "xctest" { return path.removingLastComponent().appending("annals") }
        path.removeLastComponent()
      }
    }
    preconditionFailure("no .xctest bundle in \(CommandLine.arguments)")
  }

  /// Runs `annals` with a small environment: a test's outcome must not hang on who runs it.
  package static func run(
    _ arguments: [String],
    stdin: String = "",
    environment: [String: String] = [:]
  ) async throws -> ProgramRun {
    try await runProgram(
      .path(path),
      arguments,
      standardInput: Array(stdin.utf8),
      environment: environment
    )
  }
}

/// Runs `sh -c`.
package func runShell(_ script: String, environment: [String: String] = [:]) async throws -> ProgramRun {
  try await runProgram(.path("/bin/sh"), ["-c", script], environment: environment)
}

/// Runs a program with PATH, HOME, a fixed locale and time zone, and the variables given.
func runProgram(
  _ program: Executable,
  _ arguments: [String],
  standardInput: [UInt8] = [],
  environment: [String: String]
) async throws -> ProgramRun {
  var variables = ["LC_ALL": "C.UTF-8", "TZ": "UTC"]
  variables["HOME"] = ProcessInfo.processInfo.environment["HOME"]
  variables["PATH"] = await searchPath.value
  variables.merge(environment) { $1 }
  let result = try await Subprocess.run(
    program,
    arguments: Arguments(arguments),
    environment: .custom(
      Dictionary(
        uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) }
      )
    ),
    // With .array, swift-subprocess 1.0.2 ends this process where a program ends before it has read its input.
    input: .inputWriter,
    output: .bytes(limit: outputLimit),
    error: .string(limit: outputLimit)
  ) { _ = try? await $0.standardInputWriter.write(standardInput) }
  return ProgramRun(
    status: result.terminationStatus,
    outputBytes: result.standardOutput,
    standardError: result.standardError
  )
}

/// PATH with PostgreSQL's own programs first: Debian's `psql` is a Perl script, which takes longer than psql itself.
private let searchPath = Task {
  let inherited = ProcessInfo.processInfo.environment["PATH"] ?? ""
  let folder = try? await Subprocess.run(
    .name("pg_config"),
    arguments: ["--bindir"],
    output: .string(limit: 4096)
  ).standardOutput
  guard let folder = folder?.split(separator: "\n").first else { return inherited }
  return "\(folder):\(inherited)"
}

/// In bytes; a test that prints more is not a test of what it prints.
private let outputLimit = 256 << 20
