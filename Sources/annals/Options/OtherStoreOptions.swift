internal import ArgumentParser
internal import EventStore

/// The store, or the file, to compare with.
struct OtherStoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The other store: a conninfo string or URI, or a file, a manifest or NDJSON.",
      valueName: "store"
    ),
    completion: .file()
  )
  var with: String

  @Option(
    help: ArgumentHelp("Its table; the same as here when left out.", valueName: "table"),
    transform: ConnectionOptions.parseTable
  )
  var withTable: QualifiedName?

  @Option(
    help: ArgumentHelp("Its layout; the same as here when left out.", valueName: "layout"),
    completion: .file(extensions: ["sql"])
  )
  var withLayout: String?

  func validate() throws {
    if !isConnection, withTable != nil || withLayout != nil {
      throw ValidationError("--with-table and --with-layout are for a store in a database, not for a file")
    }
    if withTable != nil, withLayout != nil {
      throw ValidationError("--with-table and --with-layout exclude each other")
    }
  }

  /// A conninfo string contains '=', and a URI '://'.
  private var isConnection: Bool {
    with.utf8.contains(UInt8(ascii: "=")) || with.utf8.starts(with: "postgresql://".utf8)
      || with.utf8.starts(with: "postgres://".utf8)
  }

  /// - Parameter connection: gives the settings that both stores share.
  func store(as connection: ConnectionOptions) async throws -> ComparedStore {
    if isConnection {
      return .store(try await connection.other(conninfo: with, table: withTable, layout: withLayout))
    }
    do { return .file(try InputFile(with).next) } catch var error as CommandError {
      error.hint = "Name a file, or a database as dbname=\(with)."
      throw error
    }
  }
}
