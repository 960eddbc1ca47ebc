import EventStore
import Testing

@testable import annals

/// annals(1) promises the names of fields to scripts.
@Suite struct RecordFieldsTests {
  private static let records: [(command: String, columns: [Column])] = [
    ("append Fl -receipts", ReceiptRecord.columns),
    ("stream , replay", EventRecord.columns),
    ("trace", TraceRecord.columns),
    ("watermark", WatermarkRecord.columns),
    ("snapshot show", StateRecord.columns),
    ("snapshot show Fl -diff", StateChange.columns),
    ("snapshot show Fl -blame", BlamedValue.columns),
    ("snapshot list", SnapshotSummary.columns),
    ("snapshot verify", SnapshotFinding.columns),
    ("rebuild-projection Fl -dry-run", RebuildPlanRecord.columns),
    ("rebuild-projection Fl -diff", DifferenceRecord.columns),
    ("projections", ProjectionRecord.columns),
    ("dead-letters list", DeadLetterRecord.columns),
    ("types", EventTypeSummary.columns),
    ("types show", PathRow.columns),
    ("types show Fl -shapes", VariantRow.columns),
    ("evolve check", EvolutionFinding.columns),
    ("verify-versions", Finding.columns),
    ("verify-versions Fl -explain", ExplainedFinding.columns),
    ("doctor", DiagnosisRecord.columns),
    ("sandbox status", SandboxStatusRecord.columns),
  ]

  @Test func areThoseOfTheManual() throws {
    let lines = try SourceTree.read("man/annals.1").split(separator: "\n").map(String.init)
    let section = lines.drop { $0 != ".Sh RECORDS" }.dropFirst().prefix { !$0.hasPrefix(".Sh ") }
    let documented = section.filter { $0.hasPrefix(".It Cm ") || $0.hasPrefix(".Li ") }
    let expected = Self.records.flatMap { record in
      [".It Cm \(record.command)", ".Li \(record.columns.map(\.name).joined(separator: " "))"]
    }
    #expect(documented == expected)
  }
}
