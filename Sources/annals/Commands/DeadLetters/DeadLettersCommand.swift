internal import ArgumentParser

struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters",
    abstract: "Show, retry and discard events that a handler failed.",
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
