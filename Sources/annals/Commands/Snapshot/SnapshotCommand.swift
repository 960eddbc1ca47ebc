internal import ArgumentParser

struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Show and keep the state of an aggregate at any time.",
    discussion: """
        annals snapshot show order-42 --at '2 hours ago'
        annals snapshot take --all --every 100
        annals snapshot verify
      """,
    subcommands: [
      SnapshotTake.self,
      SnapshotShow.self,
      SnapshotList.self,
      SnapshotVerify.self,
      SnapshotPrune.self,
    ]
  )
}
