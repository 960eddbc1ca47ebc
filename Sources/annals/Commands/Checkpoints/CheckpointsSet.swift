internal import ArgumentParser
internal import EventStore

struct CheckpointsSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Move the checkpoint of a replay or of a live read model by hand.",
    discussion: """
        annals checkpoints set mail now
        annals checkpoints set mail 1200 --from 1894
        annals checkpoints set mail '2 days ago'

      Moved back, events are passed again; moved forward, events are skipped.
      """
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var wait: WaitOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Option(help: "Move it only if it is at this position now.")
  var from: Int64?

  @Argument(help: "The checkpoint, or the projection.", completion: .consumer)
  var name: String

  @Argument(help: "The last position that counts as done, or a time, or 'now'.")
  var place: String

  func run() async throws {
    let store = try await connection.store(reason)
    await wait.apply(to: store)
    let reader = try await store.checkpoint(name)
    let position: Int64
    if let number = Int64(place) {
      position = number
    } else {
      position = try await store.position(before: try await store.replayStart(place))
    }
    let effect = position < reader.position ? "events will be passed again" : "events will be skipped"
    try Confirmation.require(
      "Move the checkpoint of \(name) from \(reader.position) to \(position) (\(effect))?",
      yes: yes
    )
    if reader.isProjection {
      try await store.setCheckpoint(of: name, to: position, from: from ?? reader.position)
    } else {
      try await store.setCheckpoint(ofReplay: name, to: position, from: from ?? reader.position)
    }
  }
}

extension EventStore {
  /// Reads the start of a reader: `now`, a position, or a time.
  func replayStart(_ text: String) async throws -> ReplayStart {
    if text.unicodeScalars.elementsEqual("now".unicodeScalars) { return .now }
    if let position = Int64(text) { return .position(position) }
    return .time(try await time(text))
  }

  /// The checkpoint of a name. A projection comes before a replay of the same name, which then cannot park events.
  func checkpoint(_ name: String) async throws -> StoreHealth.Reader {
    let named = try await checkpoints().filter { $0.name.utf8.elementsEqual(name.utf8) }
    guard let reader = named.first(where: \.isProjection) ?? named.first else {
      throw CommandError(
        .notFound,
        "there is no checkpoint '\(name)', and no live projection of that name",
        code: "notFound",
        hint: "List them with \(Advice.command("checkpoints"))."
      )
    }
    return reader
  }
}
