internal import ArgumentParser
internal import EventStore

struct ProjectionsSetCheckpoint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-checkpoint",
    abstract: "Move the checkpoint of a live read model by hand.",
    discussion: """
        annals projections set-checkpoint orders 1200 --from 1894

      Moved back, events are applied again; moved forward, events are skipped.
      """
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var wait: WaitOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Option(help: "Move it only if it is at this position now.")
  var from: Int64?

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  @Argument(help: "The last position that counts as applied.")
  var position: Int64

  func run() async throws {
    let store = try await connection.store(reason)
    await wait.apply(to: store)
    guard let live = try await store.projections(name).first(where: \.isLive) else {
      throw CommandError(.notFound, "projection \(name) has no live generation", code: "notFound")
    }
    let effect = position < live.position ? "events will be applied twice" : "events will be skipped"
    try Confirmation.require(
      "Move the checkpoint of \(name) from \(live.position) to \(position) (\(effect))?",
      yes: yes
    )
    try await store.setCheckpoint(of: name, to: position, from: from ?? live.position)
  }
}
