internal import ArgumentParser
internal import EventStore

struct SnapshotShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the state of an aggregate at any time, what changed in it, and which event changed it.",
    discussion: """
        annals snapshot show order-42
        annals snapshot show order-42 --at-version 3
        annals snapshot show order-42 --at '2 hours ago'
        annals snapshot show order-42 --diff 3 7
        annals snapshot show order-42 --blame
        annals snapshot show order-42 --blame .items[0]

      Without -o, a state is printed as it is.
      """
  )

  @Argument(help: ArgumentHelp("The aggregate.", valueName: "id"), completion: .aggregateID)
  var id: String

  @Argument(help: "With --blame: only what is at or below this path of the state, as jq writes it.")
  var path: String?

  @Option(help: "The state after the event of this version.")
  var atVersion: Int?

  @Option(
    help: ArgumentHelp(
      "The state at this time, or at the end of this day, month or year: ISO 8601, 'yesterday', '2 hours ago' (UTC).",
      valueName: "time"
    )
  )
  var at: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("What changed between two versions or times, A and B.", valueName: "A B")
  )
  var diff: [String] = []

  @Flag(help: "For each path, the event that last changed it.")
  var blame = false

  @Flag(
    help: """
      Show nothing and exit with status 2 when the stream lacks a version, or the reducer takes a type of which the \
      store has no event.
      """
  )
  var strict = false

  @Flag(help: "Fold from the first event.")
  var noSnapshot = false

  @OptionGroup var reducer: ReducerOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var archive: ArchiveReadOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if !diff.isEmpty {
      try output.checkFields(of: StateChange.self)
    } else if blame {
      try output.checkFields(of: BlamedValue.self)
    } else {
      try output.checkFields(of: StateRecord.self)
    }
    if at != nil, atVersion != nil { throw ValidationError("--at and --at-version exclude each other") }
    if path != nil, !blame { throw ValidationError("a PATH needs --blame") }
    guard !diff.isEmpty else { return }
    if diff.count != 2 { throw ValidationError("--diff takes two versions or times: show ID --diff A B") }
    if blame || at != nil || atVersion != nil {
      throw ValidationError("--diff excludes --blame, --at and --at-version")
    }
  }

  func run() async throws {
    let reducer = try reducer.load()
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    try await archive.apply(to: store)
    if try await !self.reducer.takesKnownTypes(reducer, store), strict {
      throw EndWithStatus(status: .findings)
    }
    if !diff.isEmpty {
      let changes = try await store.changes(
        of: id,
        from: try await store.point(diff[0]),
        to: try await store.point(diff[1]),
        reducer: reducer,
        usingSnapshots: !noSnapshot
      )
      try await reportGaps(store)
      output.print(changes)
    } else if blame {
      let values = try await store.blame(id, path: path ?? ".", at: try await point(store), reducer: reducer)
      try await reportGaps(upTo: atVersion, store)
      output.print(values)
    } else {
      try await showState(store, reducer)
    }
  }

  private func point(_ store: EventStore) async throws -> PointInStream {
    if let atVersion { return .version(atVersion) }
    if let at { return .time(try await store.times(at).upperBound) }
    return .head
  }

  private func showState(_ store: EventStore, _ reducer: Reducer) async throws {
    let isForPeople = output.chosenFormat == nil && StandardOutput.isTerminal
    let state = try await store.state(
      of: id,
      at: try await point(store),
      reducer: reducer,
      usingSnapshots: !noSnapshot,
      indented: isForPeople
    )
    try await reportGaps(upTo: state.version, store)
    guard output.chosenFormat == nil else {
      return output.print([StateRecord(state: state, reducer: reducer.name)])
    }
    for line in state.state.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
      StandardOutput.writeJSON(String(line) + "\n")
    }
    StandardOutput.flush()
    if isForPeople { StandardError.note(Self.summary(state)) }
  }

  /// A state that is folded over a gap is one that never existed.
  private func reportGaps(upTo version: Int? = nil, _ store: EventStore) async throws {
    let missing = try await store.missingVersions(ofStream: id, upTo: version)
    let gaps = StreamGaps(aggregateID: id, missing: missing)
    if strict { try gaps.fail() } else { gaps.warn("the state") }
  }

  private static func summary(_ state: AggregateState) -> String {
    let start = state.snapshotVersion.map { "from the snapshot at version \($0)" } ?? "from the first event"
    return "version \(state.version), \(state.timestamp), folded \(start)"
  }
}

extension EventStore {
  /// Reads a version (only digits) or a time.
  fileprivate func point(_ text: String) async throws -> PointInStream {
    if let version = Int(text) { return .version(version) }
    return .time(try await times(text).upperBound)
  }
}

struct StateRecord: Record {
  let state: AggregateState
  let reducer: String

  static let columns: [Column<Self>] = [
    Column("aggregate_id") { .text($0.state.aggregateID) },
    Column("version") { Field($0.state.version) },
    .time("timestamp") { $0.state.timestamp },
    Column("position", .low) { Field($0.state.position) },
    Column("reducer", .low) { .text($0.reducer) },
    Column("snapshot_version", .low) { Field($0.state.snapshotVersion) },
    Column("state", .high) { .json($0.state.state) },
  ]
}

extension StateChange: Record {
  static let columns: [Column<Self>] = [
    Column("change") { .text($0.kind.rawValue) },
    Column("path", .high) { .text($0.path) },
    Column("old", .high) { Field(json: $0.old) },
    Column("new", .high) { Field(json: $0.new) },
  ]
}

extension BlamedValue: Record {
  static let columns: [Column<Self>] = [
    Column("path", .high) { .text($0.path) },
    Column("version") { Field($0.event?.version) },
    .type("event_type") { $0.event?.type },
    Column("timestamp", .low) { Field($0.event?.timestamp.description) },
    Column("event_id", .least) { Field($0.event?.id.description) },
    Column("value", .high) { .json($0.value) },
  ]
}
