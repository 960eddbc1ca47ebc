internal import ArgumentParser
internal import EventStore

struct Browse: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "browse",
    abstract: "Look at the store in a web browser.",
    discussion: """
        annals browse -d shop
        annals browse --get /streams/order-42

      It serves pages on 127.0.0.1 until interrupted. It prints the address to open, which works once.
      The pages cannot change anything.
      """
  )

  @Option(
    help: ArgumentHelp("Listen on this port of 127.0.0.1; any free one when left out.", valueName: "port")
  )
  var httpPort: Int?

  @Option(help: ArgumentHelp("Listen on this Unix socket instead; only you can connect.", valueName: "path"))
  var socket: String?

  @Option(help: ArgumentHelp("Print the page at this address and exit.", valueName: "path"))
  var get: String?

  @Option(help: "How much of payloads and states is shown.")
  var payload: PayloadExtent = .full

  @Option(
    name: .customLong("reducer"),
    help: ArgumentHelp(
      "A reducer that pages can use; can be given again. Default: merge.",
      valueName: "file"
    ),
    completion: .file(extensions: ["sql"])
  )
  var reducerPaths: [String] = []

  @Option(help: ArgumentHelp("Show the findings of 'verify-versions -o json'.", valueName: "file"))
  var verify: String?

  @Option(help: ArgumentHelp("Show the runs that 'report --history' keeps.", valueName: "file"))
  var history: String?

  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if socket != nil, httpPort != nil { throw ValidationError("--socket and --http-port exclude each other") }
    if get != nil, socket != nil || httpPort != nil {
      throw ValidationError("--get needs no --socket and no --http-port")
    }
    if let httpPort, !(0...65_535).contains(httpPort) {
      throw ValidationError("--http-port is a number from 0 to 65535")
    }
  }

  func run() async throws {
    let settings = try settings()
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    await store.restrictToReading(statementTimeout: BrowseLimits.statement, lockTimeout: BrowseLimits.lock)
    let browser = await Browser(settings, for: store)
    if let get { return try await printPage(get, browser, store) }
    // A wrong name of the database is reported now, instead of on each page.
    _ = try await store.hasPositions()
    Interruption.isTheEnd()
    try await serve(browser, StorePool(store))
  }

  private func serve(_ browser: Browser, _ stores: StorePool) async throws {
    let login = socket == nil ? BrowseLogin(name: httpPort.map(String.init)) : nil
    let service = BrowseService(browser: browser, stores: stores, login: login)
    let server = try await BrowseServer.listen(
      on: socket.map { .socket($0) } ?? .port(httpPort ?? 0),
      service
    )
    if let socket {
      StandardOutput.print(socket)
      StandardError.note(
        "'ssh -L 8000:\(socket) HOST' brings the pages to http://localhost:8000 of another machine"
      )
    } else if let login, let port = server.port {
      StandardOutput.print("http://127.0.0.1:\(port)\(login.path)")
      StandardError.note("open this address; it works once. Press Ctrl-C to stop")
    }
    StandardOutput.flush()
    try await server.run()
  }

  private func settings() throws -> BrowseSettings {
    var settings = BrowseSettings()
    settings.payload = payload
    (settings.verify, settings.history) = (verify, history)
    let reducers = try reducerPaths.map { path in
      (path: Optional(path), reducer: try Reducer(path: path, bytes: try InputFile.read(path)))
    }
    if !reducers.isEmpty { settings.reducers = reducers }
    settings.upcasters = upcasters.shellText
    return settings
  }

  /// Follows redirections, as a browser does.
  private func printPage(_ target: String, _ browser: Browser, _ store: EventStore) async throws {
    var (answer, redirections) = (try await browser.answer(target, store), 0)
    while let next = answer.fields.first(where: { $0.name == "Location" })?.value, redirections < 3 {
      (answer, redirections) = (try await browser.answer(next, store), redirections + 1)
    }
    StandardOutput.writeRaw(answer.body)
    StandardOutput.flush()
    if let failure = answer.failure { throw failure }
    if answer.status == 404 {
      throw CommandError(.notFound, "there is no page at this address", code: "notFound")
    }
    if answer.status >= 400 {
      throw CommandError(.usage, "this page does not have that format", code: "usage")
    }
  }
}
