internal import ArgumentParser

struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Show the state of an aggregate at any time, and keep states.",
    subcommands: [
      SnapshotTake.self,
      SnapshotShow.self,
      SnapshotList.self,
      SnapshotVerify.self,
      SnapshotPrune.self,
    ]
  )
}
