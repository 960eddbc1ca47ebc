internal import ArgumentParser
internal import EventStore
internal import LibPQ

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "Show the versions of annals, libpq and the formats.",
    discussion: """
        annals version
        annals version -o json

      It connects to no server; 'annals doctor' shows the versions of one.
      """
  )

  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: VersionRecord.self) }

  func run() throws { output.printAlone(VersionRecord()) }
}

/// The versions of this build, and the formats that it reads and writes.
struct VersionRecord: Record {
  static let columns: [Column<Self>] = [
    Column("version", .high) { _ in .text(Annals.version) },
    Column("build") { _ in .text(build) },
    Column("swift") { _ in .text(swift) },
    Column("libpq") { _ in .text(libpq) },
    Column("oldest_postgresql") { _ in .integer(Int64(StoreFormats.oldestPostgreSQL)) },
    Column("schema_version") { _ in .integer(Int64(StoreFormats.schema)) },
    Column("export_format") { _ in .integer(Int64(StoreFormats.export)) },
    Column("manifest_format") { _ in .integer(Int64(StoreFormats.manifest)) },
  ]

  /// The loaded libpq, which may differ from the one of the build.
  static var libpq: String { "\(libpqVersion / 10_000).\(libpqVersion % 10_000)" }

  private static var build: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }

  /// The compiler's version, as far as code can find it.
  private static var swift: String {
    #if compiler(>=6.5)
      "6.5 or later"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
