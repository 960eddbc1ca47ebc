internal import ArgumentParser
internal import EventStore
internal import LibPQ

/// Where the store is, with psql's options. What is not given comes from the PG* variables, service files and .pgpass.
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
    help: "Layout of another framework's store; auto finds it.",
    completion: .file(extensions: ["sql"])
  )
  var givenLayout: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("A parameter of the layout; can be given again.", valueName: "name=value"),
    transform: ConnectionOptions.parseParameter
  )
  var givenParameters: [LayoutParameter] = []

  @Option(
    name: .customLong("columns"),
    help: ArgumentHelp("Columns of --table: version=revision,id=uid,...", valueName: "name=column"),
    transform: ConnectionOptions.parseColumns
  )
  var givenColumns: [LayoutParameter]?

  @Option(
    help: ArgumentHelp(
      "Longest silence of the server during a statement.",
      valueName: "duration"
    )
  )
  var responseTimeout: DurationArgument?

  @Option(
    help: ArgumentHelp("Refuse a standby that is further behind.", valueName: "delay")
  )
  var maxStaleness: DurationArgument?

  func validate() throws {
    try responseTimeout?.requirePositive("--response-timeout")
    if givenColumns != nil, givenTable == nil || givenLayout != nil {
      throw ValidationError("--columns needs --table, and no --layout: it names the columns of that table")
    }
    if !givenParameters.isEmpty, layoutName == nil {
      throw ValidationError("--set needs --layout, whose parameters it sets")
    }
    if layoutName == Self.automatic, !givenParameters.isEmpty || givenTable != nil {
      throw ValidationError("--layout auto finds the table: leave out --set and --table, or name the layout")
    }
  }

  /// The name from the option, or from the variable, unless a table is named without a layout.
  private var layoutName: String? {
    givenLayout ?? (givenTable == nil ? MirroredOption.layout.variableText : nil)
  }

  /// Means the layout that fits the tables of the database.
  static let automatic = "auto"

  /// A store in another database, with the same table or layout unless another one is named.
  func other(conninfo: String, table: QualifiedName?, layout name: String?) async throws -> EventStore {
    var options = self
    if let table { (options.givenTable, options.givenLayout) = (table, nil) }
    if let name { (options.givenTable, options.givenLayout) = (nil, name) }
    if table != nil || name != nil { (options.givenParameters, options.givenColumns) = ([], nil) }
    var parameters = ConnectionParameters(database: conninfo)
    parameters.responseTimeout = responseTimeout?.duration
    let layout = try await options.layout(parameters)
    let store = try EventStore(parameters, table: try options.table, layout: layout)
    await store.onNotice { StandardError.warn($0) }
    if let maxStaleness { await store.limitStaleness(to: maxStaleness.duration) }
    return store
  }

  /// The layout of that name, with the given parameters and table.
  private func layout(_ parameters: ConnectionParameters) async throws -> Layout? {
    if let givenColumns {
      let file = try await EventStore(parameters, table: try table).layoutFile(naming: givenColumns)
      return try Layout(path: "--columns", bytes: Array(file.utf8))
    }
    guard let layoutName else { return nil }
    if layoutName == Self.automatic { return try await Self.findLayout(parameters) }
    let layout = try Self.layout(named: layoutName)
    do { return try layout.setting(givenParameters, table: givenTable) } catch let error as EventStoreError {
      throw CommandError(
        .usage,
        error.message,
        code: "usage",
        detail: error.detail,
        hint: error.hint.map(Advice.text)
      )
    }
  }

  /// The one shipped layout that reads the tables of the database.
  private static func findLayout(_ parameters: ConnectionParameters) async throws -> Layout? {
    let matches = try await EventStore(parameters).findLayouts()
    let options = matches.map { String(Advice.layoutOptions($0.layout, setting: $0.parameters).trimmed) }
    guard let match = matches.first else {
      throw CommandError(
        .notFound,
        "no layout of annals fits a table of this database",
        code: "notFound",
        hint:
          "'annals layouts' lists the layouts. Name a layout file with --layout, or the table of events with --table."
      )
    }
    guard matches.count == 1 else {
      throw CommandError(
        .usage,
        "several layouts fit this database",
        code: "usage",
        detail: options.joined(separator: "; "),
        hint: "Use the options of one."
      )
    }
    StandardError.note("read with \(options[0])")
    return try Layout(shipped: match.layout)?.setting(match.parameters)
  }

  /// A shipped layout, or the layout of a file.
  private static func layout(named name: String) throws -> Layout {
    if let layout = Layout(shipped: name) { return layout }
    guard name.utf8.contains(UInt8(ascii: "/")) || name.utf8.contains(UInt8(ascii: ".")) else {
      throw CommandError.noLayout(name)
    }
    return try Layout(path: name, bytes: try InputFile.read(name))
  }

  /// The table from the option, or from the variable.
  var table: QualifiedName {
    get throws { try MirroredOption.table.resolve(givenTable, parse: Self.parseTable) ?? .events }
  }

  /// The store that these options name; it connects when it is first used.
  ///
  /// - Parameter reason: why it is changed, for commands that do.
  func store(_ reason: ReasonOptions? = nil) async throws -> EventStore {
    var parameters = ConnectionParameters(host: host, port: port, user: user, database: database)
    parameters.responseTimeout = responseTimeout?.duration
    Advice.repeatOptions(
      of: parameters,
      table: givenTable,
      layout: givenLayout,
      setting: givenParameters,
      columns: givenColumns
    )
    let store = try EventStore(parameters, table: try table, layout: try await layout(parameters))
    await store.onNotice { StandardError.warn($0) }
    if let text = reason?.text { await store.giveReason(text) }
    if let maxStaleness { await store.limitStaleness(to: maxStaleness.duration) }
    return store
  }

  /// Refuses the options for the table of events, if a command does not use it.
  func requireNoTable(_ reason: String) throws {
    guard givenTable != nil || givenLayout != nil || givenColumns != nil else { return }
    throw ValidationError("--table, --layout and --columns are not for this command: \(reason)")
  }

  /// Refuses the options for the server, if another option gives it.
  func requireNoServer(_ option: String) throws {
    guard host != nil || port != nil || user != nil || database != nil else { return }
    throw ValidationError("\(option) excludes -h, -p, -U and -d")
  }

  /// The database that these options name, whatever table of events it has; it is connected to when it is first used.
  func storeWithoutTable() async throws -> EventStore {
    try store(in: ConnectionParameters(host: host, port: port, user: user, database: database))
  }

  /// The same for a server by libpq's variables.
  func store(of variables: [(name: String, value: String)]) throws -> EventStore {
    func value(_ name: String) -> String? { variables.first { $0.name == name }?.value }
    return try store(
      in: ConnectionParameters(
        host: value("PGHOST"),
        port: value("PGPORT"),
        user: value("PGUSER"),
        database: value("PGDATABASE")
      )
    )
  }

  private func store(in parameters: ConnectionParameters) throws -> EventStore {
    var parameters = parameters
    parameters.responseTimeout = responseTimeout?.duration
    Advice.repeatOptions(of: parameters, table: nil, layout: nil, setting: [])
    return try EventStore(parameters)
  }

  static func parseTable(_ text: String) throws -> QualifiedName {
    guard let name = QualifiedName(text) else {
      throw ValidationError("'\(text)' is not the name of a table; write name or schema.name")
    }
    return name
  }

  private static func parseColumns(_ text: String) throws -> [LayoutParameter] {
    try text.unicodeScalars.split(separator: ",").map { try parseParameter(String($0)) }
  }

  static func parseParameter(_ text: String) throws -> LayoutParameter {
    let scalars = text.unicodeScalars
    guard let sign = scalars.firstIndex(of: "="), sign > scalars.startIndex else {
      throw ValidationError("'\(text)' does not have the form name=value")
    }
    return LayoutParameter(
      name: String(scalars[..<sign]),
      value: String(scalars[scalars.index(after: sign)...])
    )
  }
}

extension CommandError {
  static func noLayout(_ name: String) -> CommandError {
    let near =
      SectionFile.nearest(to: name, among: Layout.shippedNames).map { "Did you mean '\($0)'? " } ?? ""
    return CommandError(
      .usage,
      "there is no layout '\(name)'",
      code: "usage",
      hint: near
        + "'annals layouts' lists those that come with annals; the path of a .sql file contains a / or a full stop."
    )
  }
}
