import ArgumentParser

@main
struct Annals: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look after an event store on PostgreSQL.",
    helpNames: [.long, .customShort("?")]
  )
}
