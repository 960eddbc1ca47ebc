internal import ArgumentParser

struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters",
    abstract: "Show, retry, discard and skip failed events.",
    discussion: """
        annals dead-letters list
        annals dead-letters retry orders --file orders.sql
        annals dead-letters retry mail --exec ./mail
        annals dead-letters skip 1895 --reason 'paid twice'
      """,
    subcommands: [
      DeadLettersList.self, DeadLettersShow.self, DeadLettersRetry.self, DeadLettersDiscard.self,
      DeadLettersSkip.self, DeadLettersSkipped.self,
    ]
  )
}
