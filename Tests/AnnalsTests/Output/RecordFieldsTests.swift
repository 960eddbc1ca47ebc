import EventStore
import PostgresSandbox
import TestSupport
import Testing

@testable import annals

/// annals(1) promises the names of fields to scripts.
@Suite struct RecordFieldsTests {
  private static let records: [(command: String, columns: [String])] = [
    ("append Fl -receipts", AppendReceipt.columns.map(\.name)),
    ("stream , replay", Event.columns.map(\.name)),
    ("show", RelatedEventRecord.columns.map(\.name)),
    ("streams", ListedStream.columns.map(\.name)),
    ("streams Fl -categories", ListedCategory.columns.map(\.name)),
    ("stats", StoreStatistics.columns.map(\.name)),
    ("stats Fl -by Ar unit", EventGroupRecord.columns.map(\.name)),
    ("trace", TracedEvent.columns.map(\.name)),
    ("watermark", WatermarkRecord.columns.map(\.name)),
    ("snapshot show", StateRecord.columns.map(\.name)),
    ("snapshot show Fl -diff", StateChange.columns.map(\.name)),
    ("snapshot show Fl -blame", BlamedValue.columns.map(\.name)),
    ("snapshot list", SnapshotSummary.columns.map(\.name)),
    ("snapshot verify", SnapshotFinding.columns.map(\.name)),
    ("rebuild-projection Fl -dry-run", RebuildPlan.columns.map(\.name)),
    ("rebuild-projection Fl -diff", TableDifference.columns.map(\.name)),
    ("projections", ProjectionStatus.columns.map(\.name)),
    ("checkpoints", StoreHealth.Reader.columns.map(\.name)),
    ("dead-letters list", DeadLetter.columns.map(\.name)),
    ("dead-letters skipped", SkippedEvent.columns.map(\.name)),
    ("test", TestRecord.columns.map(\.name)),
    ("types", EventTypeSummary.columns.map(\.name)),
    ("types show", PathRecord.columns.map(\.name)),
    ("types show Fl -shapes", VariantRecord.columns.map(\.name)),
    ("evolve check", EvolutionFinding.columns.map(\.name)),
    ("archive", ArchivePlan.columns.map(\.name)),
    ("redact", RedactionRecord.columns.map(\.name)),
    ("verify-versions", Finding.columns.map(\.name)),
    ("verify-versions Fl -explain", ExplainedFindingRecord.columns.map(\.name)),
    ("compare", StoreDifference.columns.map(\.name)),
    ("report Fl -history", ReportRun.fields),
    ("doctor", DiagnosisRecord.columns.map(\.name)),
    ("audit", AuditEntry.columns.map(\.name)),
    ("version", VersionRecord.columns.map(\.name)),
    ("sandbox status", Sandbox.Status.columns.map(\.name)),
  ]

  @Test func areThoseOfTheManual() throws {
    let lines = try SourceTree.read("man/annals.1").split(separator: "\n").map(String.init)
    let section = lines.drop { $0 != ".Sh RECORDS" }.dropFirst().prefix { !$0.hasPrefix(".Sh ") }
    let documented = section.filter { $0.hasPrefix(".It Cm ") || $0.hasPrefix(".Li ") }
    let expected = Self.records.flatMap { record in
      [".It Cm \(record.command)", ".Li \(record.columns.joined(separator: " "))"]
    }
    #expect(documented == expected)
  }
}
