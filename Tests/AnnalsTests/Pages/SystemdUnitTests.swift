import FoundationEssentials
import TestSupport
import Testing

/// The units of systemd that the manual shows, as systemd reads them; ``ShownCommandsTests`` runs their commands.
@Suite struct SystemdUnitTests {
  /// The blocks of a page that begin with a section of a unit.
  private static func units(on page: String) throws -> [String] {
    try SourceTree.read("man/\(page)").split(separator: "\n.Bd -literal").dropFirst().compactMap { block in
      let text = block.drop { $0 != "\n" }.dropFirst().prefix(upTo: block.firstRange(of: "\n.Ed")!.lowerBound)
      return text.hasPrefix("[") ? "\(text)\n" : nil
    }
  }

  @Test func systemdFindsNothing() async throws {
    guard try await runShell("command -v systemd-analyze").exitCode == 0 else { return }
    let pages = try SourceTree.list("man").filter { try !Self.units(on: $0).isEmpty }
    #expect(pages.count >= 4, "\(pages)")
    for page in pages {
      let folder = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      for unit in try Self.units(on: page) {
        // systemd looks for programs in folders of its own.
        let text = unit.replacing("ExecStart=annals ", with: "ExecStart=\(AnnalsBinary.path) ")
        #expect(text.contains("[Timer]") || text != unit, "\(page): \(unit)")
        let name = text.contains("[Timer]") ? "shown.timer" : "shown.service"
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
      }
      // A word that it does not know is only a warning.
      let run = try await runShell("cd '\(folder)' && systemd-analyze verify --man=no ./shown.*")
      #expect(
        run.exitCode == 0 && run.standardOutput + run.standardError == "",
        "\(page): \(run.standardError)"
      )
    }
  }
}
