internal import ArgumentParser
internal import EventStore

/// The shape in which events are read: as they are stored, or after upcasters.
struct UpcasterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Apply these upcasters; default: ANNALS_UPCASTERS.",
      valueName: "folder"
    ),
    completion: .directory
  )
  var upcasters: String?

  @Flag(help: "Show events as they are stored.")
  var raw = false

  func validate() throws {
    if raw, upcasters != nil { throw ValidationError("--raw and --upcasters exclude each other") }
  }

  func apply(to store: EventStore) async throws {
    guard let path else { return }
    await store.use(try Self.load([path]))
  }

  var areApplied: Bool { path != nil }

  /// The option for another command line, with a blank before it.
  var shellText: String { raw ? " --raw" : upcasters.map { " --upcasters \(quoteShell($0))" } ?? "" }

  private var path: String? { raw ? nil : upcasters ?? MirroredOption.upcasters.variableText }

  /// Reads upcaster files; from a folder, those whose names end in `.sql`, in the order of their names.
  static func load(_ paths: [String]) throws -> Upcasters {
    let files = try NamedFiles.paths(paths, endingIn: ".sql") { folder in
      CommandError(
        .badDefinition,
        "there is no upcaster in \(folder)",
        code: "invalidDefinition",
        hint: "Upcasters are files whose names end in .sql; see annals-upcaster(5)."
      )
    }
    return try Upcasters(files.map { ($0, try InputFile.read($0)) })
  }
}
