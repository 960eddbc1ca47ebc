internal import ArgumentParser

struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Show and keep the state of an aggregate at any time.",
    subcommands: [
      SnapshotTake.self,
      SnapshotShow.self,
      SnapshotList.self,
      SnapshotVerify.self,
      SnapshotPrune.self,
    ]
  )
}
