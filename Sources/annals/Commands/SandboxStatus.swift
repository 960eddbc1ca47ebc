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

  func run() async throws {
    let status = try await options.sandbox().status()
    if status.usesShortSocketDirectory {
      StandardError.note("the directory's own path is too long or too odd for a socket")
    }
    RecordPrinter.printAlone(SandboxStatusRecord(status: status), output.format)
  }
}

struct SandboxStatusRecord: Record {
  let status: Sandbox.Status

  static let columns = [
    "state", "pid", "directory", "data", "socket", "version", "durable", "bytes",
  ].map(Column.init)

  var fields: [Field] {
    let created = status.version != nil
    return [
      .text(status.isRunning ? "running" : created ? "stopped" : "not created"),
      status.processID.map { .number(String($0), shown: String($0)) } ?? .null,
      .text(status.directory.string),
      .text(status.dataDirectory.string),
      .text(status.socketDirectory.string),
      Field(status.version),
      created ? .bool(status.isDurable) : .null,
      created ? .integer(Int64(status.sizeBytes)) : .null,
    ]
  }
}
