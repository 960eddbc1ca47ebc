internal import ArgumentParser

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
