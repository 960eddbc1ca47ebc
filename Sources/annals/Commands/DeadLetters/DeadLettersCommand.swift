internal import ArgumentParser

struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters",
    abstract: "Look after the events that a handler gave up on.",
    discussion: """
        annals dead-letters list
        annals dead-letters retry orders --file orders.sql
        annals dead-letters retry mail --exec ./mail
      """,
    subcommands: [
      DeadLettersList.self, DeadLettersShow.self, DeadLettersRetry.self, DeadLettersDiscard.self,
    ]
  )
}
