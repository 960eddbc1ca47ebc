internal import ArgumentParser
internal import EventStore
internal import FoundationEssentials

/// In which shape events are read: as they are stored, or as upcasters show them.
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

  private var path: String? { raw ? nil : upcasters ?? MirroredOption.upcasters.variableText }

  /// Reads upcaster files; of a folder those whose names end in `.sql`, in the order of their names.
  static func load(_ paths: [String]) throws -> Upcasters {
    let files = try paths.flatMap { path in
      isFolder(path) ? try contents(of: path) : [path]
    }
    return try Upcasters(files.map { ($0, try InputFile.read($0)) })
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
  }

  private static func contents(of folder: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.utf8.suffix(4).elementsEqual(".sql".utf8) && $0.utf8.first != UInt8(ascii: ".") }
    guard !names.isEmpty else {
      throw CommandError(
        .badDefinition,
        "there is no upcaster in \(folder)",
        code: "invalidDefinition",
        hint: "Upcasters are files whose names end in .sql; see annals-upcaster(5)."
      )
    }
    let prefix = folder.utf8.last == UInt8(ascii: "/") ? folder : folder + "/"
    return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }.map { prefix + $0 }
  }
}
