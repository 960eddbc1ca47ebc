import ArgumentParser
import PostgresSandbox
import SystemPackage

struct SandboxStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the sandbox's state."
  )

  @OptionGroup var options: SandboxOptions

  func run() async throws {
    print(Self.lines(try await options.sandbox().status()).joined(separator: "\n"))
  }

  static func lines(_ status: Sandbox.Status) -> [String] {
    var rows: [(String, String)] = [
      ("state", state(status)),
      ("directory", status.directory.string),
      ("data", status.dataDirectory.string),
      ("socket", status.socketDirectory.string + (status.usesShortSocketDirectory ? shortSocketNote : "")),
    ]
    if let version = status.version {
      rows += [
        ("version", "PostgreSQL \(version)"),
        ("durability", status.isDurable ? "durable" : "not durable (fsync is off)"),
        ("size", "\(status.sizeBytes) bytes"),
      ]
    }
    return rows.map { name, value in
      name + String(repeating: " ", count: 12 - name.count) + value
    }
  }

  private static let shortSocketNote = " (the directory's own path is too long or too odd for a socket)"

  private static func state(_ status: Sandbox.Status) -> String {
    if let processID = status.processID { return "running (pid \(processID))" }
    return status.version == nil ? "not created" : "stopped"
  }
}
