internal import ArgumentParser
internal import PostgresSandbox
internal import SystemPackage

struct SandboxOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The sandbox's folder.",
      discussion: """
        Otherwise $ANNALS_SANDBOX_DIR, $XDG_DATA_HOME/annals/sandbox or ~/.local/share/annals/sandbox; \
        for root /var/lib/annals/sandbox.
        """,
      valueName: "dir"
    ),
    completion: .directory
  )
  var directory: String?

  func validate() throws {
    if directory == "" { throw ValidationError("--directory must not be empty") }
  }

  func sandbox() async throws -> Sandbox {
    Advice.repeatOptions(ofSandbox: directory)
    return try await Sandbox(directory: directory.map { FilePath($0) })
  }
}
