internal import ArgumentParser
internal import EventStore
internal import LibPQ

/// Where the store is, in psql's words. What is not given comes from the PG* variables, service files and .pgpass.
struct ConnectionOptions: ParsableArguments {
  @Option(
    name: [.customShort("h", allowingJoined: true), .long],
    help: "Server host, or the folder of its socket."
  )
  var host: String?

  @Option(name: [.customShort("p", allowingJoined: true), .long], help: "Server port.")
  var port: String?

  @Option(
    name: [.customShort("U", allowingJoined: true), .customLong("username")],
    help: ArgumentHelp("User to connect as.", valueName: "user")
  )
  var user: String?

  @Option(
    name: [.customShort("d", allowingJoined: true), .customLong("dbname")],
    help: "Database, conninfo string or URI."
  )
  var database: String?

  @Option(
    name: .customLong("table"),
    help: "The table of events; public.events when left out.",
    transform: ConnectionOptions.parseTable
  )
  var givenTable: QualifiedName?

  @Option(
    name: .customLong("layout"),
    help: "Read another framework's store: see annals-layout(5).",
    completion: .file(extensions: ["sql"])
  )
  var givenLayout: String?

  @Option(
    help: ArgumentHelp(
      "Longest silence of the server during a statement.",
      valueName: "duration"
    )
  )
  var responseTimeout: DurationArgument?

  func validate() throws {
    try responseTimeout?.requirePositive("--response-timeout")
    if givenTable != nil, givenLayout != nil {
      throw ValidationError("--table and --layout exclude each other: a layout names its tables")
    }
  }

  /// The layout of the option, else that of the variable, unless a table is named.
  func layout() throws -> Layout? {
    guard givenTable == nil, let name = givenLayout ?? MirroredOption.layout.variableText else { return nil }
    if let layout = Layout(shipped: name) { return layout }
    guard name.utf8.contains(UInt8(ascii: "/")) || name.utf8.contains(UInt8(ascii: ".")) else {
      let near =
        SectionFile.nearest(to: name, among: Layout.shippedNames).map { "Did you mean '\($0)'? " } ?? ""
      throw CommandError(
        .usage,
        "there is no layout '\(name)'",
        code: "usage",
        hint: near + "Name a .sql file, or one of \(Layout.shippedNames.joined(separator: ", "))."
      )
    }
    return try Layout(path: name, bytes: try InputFile.read(name))
  }

  /// The table of the option, else that of the variable.
  var table: QualifiedName {
    get throws { try MirroredOption.table.resolve(givenTable, parse: Self.parseTable) ?? .events }
  }

  /// The store that these options name; it connects when it is first used.
  func store() async throws -> EventStore {
    var parameters = ConnectionParameters(host: host, port: port, user: user, database: database)
    parameters.responseTimeout = responseTimeout?.duration
    Advice.repeatOptions(of: parameters, table: givenTable, layout: givenLayout)
    let store = try EventStore(parameters, table: try table, layout: try layout())
    await store.onNotice { StandardError.warn($0) }
    return store
  }

  static func parseTable(_ text: String) throws -> QualifiedName {
    guard let name = QualifiedName(text) else {
      throw ValidationError("'\(text)' is not the name of a table; write name or schema.name")
    }
    return name
  }
}
