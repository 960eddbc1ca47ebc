internal import ArgumentParser
internal import EventStore

struct ProjectionsDiscard: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Remove one generation that is not live, with its tables.",
    discussion: """
        annals projections discard orders 2

      Without a number it is the only one besides the live one.
      """
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  @Argument(help: "The number of the generation.", completion: .generation)
  var generation: Int?

  func run() async throws {
    let store = try await connection.store(reason)
    let others = try await store.projections(name).filter { !$0.isLive }
    let number = try generation ?? onlyOne(others)
    let state = others.first { $0.generation == number }.map { " (\($0.state.rawValue))" } ?? ""
    try Confirmation.require(
      "Remove generation \(number)\(state) of projection \(name) with its tables?",
      yes: yes
    )
    try await store.discardGeneration(number, of: name)
  }

  private func onlyOne(_ others: [ProjectionStatus]) throws -> Int {
    guard others.count != 1 else { return others[0].generation }
    throw CommandError(
      others.isEmpty ? .notFound : .usage,
      others.isEmpty
        ? "projection \(name) has no generation besides the live one"
        : "projection \(name) has several generations besides the live one",
      code: others.isEmpty ? "notFound" : "usage",
      hint: others.isEmpty
        ? nil : "Name one of them: \(others.map { "\($0.generation)" }.joined(separator: ", "))."
    )
  }
}
