internal import ArgumentParser
internal import PostgresSandbox
internal import SystemPackage

struct SandboxStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the sandbox's state."
  )

  @OptionGroup var options: SandboxOptions
  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: Sandbox.Status.self) }

  func run() async throws {
    let status = try await options.sandbox().status()
    if status.usesShortSocketDirectory {
      StandardError.note("the path of the directory is not usable for a socket")
    }
    output.printAlone(status)
  }
}

extension Sandbox.Status: Record {
  static let columns: [Column<Self>] = [
    Column("state") { .text($0.isRunning ? "running" : $0.isCreated ? "stopped" : "not created") },
    Column("pid") { $0.processID.map { .number("\($0)", shown: "\($0)") } ?? .null },
    Column("directory") { .text($0.directory.string) },
    Column("data") { .text($0.dataDirectory.string) },
    Column("socket") { .text($0.socketDirectory.string) },
    Column("version") { Field($0.version) },
    Column("durable") { $0.isCreated ? .bool($0.isDurable) : .null },
    Column("bytes") { $0.isCreated ? Field($0.sizeBytes) : .null },
  ]

  private var isCreated: Bool { version != nil }
}
