internal import ArgumentParser
internal import EventStore

struct Initialize: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Prepare a database for events.",
    discussion: """
        annals init -d shop
        annals init -d shop -n               (the SQL that it would run)
        annals init -d shop --add-position   (add what an older table lacks)

      It can be run again at any time. It does not change an existing events table, but prints the SQL that adds \
      what the table lacks.
      """
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Also add the columns position and metadata to a classic table. Locks the table.")
  var addPosition = false

  @Flag(help: "With --add-position: do not block writers. Takes longer.")
  var online = false

  @OptionGroup var progress: ProgressOptions

  @Option(
    help: ArgumentHelp(
      "Create the table with n partitions by the hash of the aggregate's id.",
      valueName: "n"
    )
  )
  var partitions: Int?

  @Flag(help: "Have Citus distribute the table by the aggregate's id.")
  var citus = false

  @Flag(
    inversion: .prefixedNo,
    help: "Wake followers by NOTIFY, which delays concurrent appends; or remove that."
  )
  var notify: Bool?

  @Flag(name: [.customShort("n"), .long], help: "Print the SQL and change nothing.")
  var dryRun = false

  func validate() throws {
    if online, !addPosition { throw ValidationError("--online needs --add-position") }
    if progress.progress != nil, !online { throw ValidationError("--progress needs --online") }
    if citus, partitions != nil { throw ValidationError("--citus and --partitions exclude each other") }
    if citus, addPosition { throw ValidationError("--citus and --add-position exclude each other") }
    if citus, notify == true { throw ValidationError("--citus and --notify exclude each other") }
    if online, partitions != nil { throw ValidationError("--online and --partitions exclude each other") }
    let allowed = EventStore.partitionCounts
    guard let partitions, !allowed.contains(partitions) else { return }
    throw ValidationError("--partitions must be from \(allowed.lowerBound) to \(allowed.upperBound)")
  }

  func run() async throws {
    let store = try await connection.store(reason)
    let result = try await store.initialize(
      addPosition: addPosition && !online,
      partitions: partitions,
      distributed: citus,
      notifies: notify,
      dryRun: dryRun
    )
    let missing = online ? [] : result.missing
    if dryRun {
      if !result.steps.isEmpty { StandardOutput.writeRaw(Initialize.script(result.steps)) }
      if online { StandardOutput.writeRaw(try await store.positionBackfillScript()) }
    } else if online, let events = try await addPositionOnline(store) {
      StandardError.note("\(store.table) has positions: \(Field.grouped(events)) events were numbered")
    } else {
      for step in result.steps { StandardError.note("\(step.title): done") }
      if notify == true, !result.steps.isEmpty {
        StandardError.note("appends of several sessions commit one after another now; see annals-init(1)")
      }
      if result.steps.isEmpty, missing.isEmpty { StandardError.note("\(store.table) is ready") }
    }
    StandardOutput.flush()
    if !missing.isEmpty {
      StandardError.warn("\(store.table) is not changed. This SQL adds what it lacks:")
      // The titles of the steps, and the table, come from the operator; the rest is ours.
      StandardError.print(
        lines: Initialize.script(missing).unicodeScalars.split(separator: "\n").map(String.init)
      )
      StandardError.print(
        "HINT:  "
          + Advice.text(
            "Run it, or \(.addPosition); both lock the table; \(.addPositionOnline) locks it only briefly."
          )
      )
    }
  }

  private func addPositionOnline(_ store: EventStore) async throws -> Int64? {
    let line = progress.line("numbering", rest: "events to number")
    defer { line.finish() }
    return try await store.addPositionOnline { line.show($0) }
  }

  /// The steps as a script that psql runs completely or not at all.
  static func script(_ steps: [InitializationResult.Step]) -> String {
    "BEGIN;\n" + steps.map { "-- \($0.title)\n\($0.sql)" }.joined(separator: "\n") + "COMMIT;\n"
  }
}
