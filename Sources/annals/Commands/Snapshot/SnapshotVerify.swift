internal import ArgumentParser
internal import EventStore
internal import Synchronization

struct SnapshotVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recompute states from all events, and compare snapshots.",
    discussion: """
        annals snapshot verify
        annals snapshot verify order-42 --reducer order.sql

      Prints one line a finding and exits with status 2; prints nothing and exits with 0 when there is none.
      """
  )

  @OptionGroup var aggregates: SelectionOptions
  @OptionGroup var reducer: ReducerOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: SnapshotFinding.self) }

  func run() async throws {
    let reducer = try reducer.load()
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    let findings = Mutex((count: 0, printer: RecordPrinter<SnapshotFinding>(output.style)))
    let verified = try await store.verifySnapshots(of: aggregates.selection, reducer: reducer) { finding in
      findings.withLock { findings in
        findings.count += 1
        findings.printer.print(finding)
      }
    }
    let count = findings.withLock { findings in
      findings.printer.finish()
      return findings.count
    }
    StandardError.note(
      "\(Field.counted(verified, "snapshot")) compared, \(Field.counted(count, "finding"))"
    )
    if count > 0 { throw EndWithStatus(status: .findings) }
  }
}

extension SnapshotFinding: Record {
  static let columns: [Column<Self>] = [
    Column("kind", .high) { .text($0.kind.rawValue) },
    Column("aggregate_id", .high, widths: 12...48) { Field($0.aggregateID) },
    Column("version") { Field($0.version) },
    Column("path", .high) { Field($0.path) },
    Column("stored", .high) { Field(json: $0.stored) },
    Column("recomputed", .high) { Field(json: $0.recomputed) },
    Column("snapshots", .low) { Field($0.snapshots) },
    Column("reducer_hash", .least) { .text($0.reducerHash) },
  ]
}
