internal import ArgumentParser
internal import PostgresSandbox
internal import SystemPackage

struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox",
    abstract: "Run a private PostgreSQL to try things out.",
    discussion: """
        annals sandbox start
        eval "$(annals sandbox env)"
        annals sandbox exec psql

      The server listens on a Unix socket only, in a folder that nobody else can enter. It is never used \
      unless you ask for it: by eval "$(annals sandbox env)" or annals sandbox exec.
      """,
    subcommands: [
      SandboxStart.self, SandboxStop.self, SandboxStatus.self, SandboxReset.self, SandboxEnv.self,
      SandboxExec.self,
    ]
  )
}

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
    try await Sandbox(directory: directory.map { FilePath($0) })
  }
}
