import EventStore
import TestSupport
import Testing

extension Redaction {
  /// Of fields of the payload.
  static func of(
    _ paths: String...,
    metadata: [String] = [],
    by replacement: Replacement = .mark,
    selecting change: (inout Redaction) -> Void = { _ in }
  ) throws -> Redaction {
    let fields =
      try paths.map { try RedactedField($0) } + metadata.map { try RedactedField($0, in: .metadata) }
    var redaction = try Redaction(.fields(fields, by: replacement))
    change(&redaction)
    return redaction
  }
}

extension EventStore {
  /// Redacts for a reason, in small chunks.
  @discardableResult
  func redact(for reason: String, _ redaction: Redaction, dropsKept: Bool = false) async throws
    -> RedactionResult
  {
    giveReason(reason)
    var options = RedactionOptions()
    (options.chunkSize, options.dropsKept) = (3, dropsKept)
    return try await redact(redaction, options)
  }
}

extension TestDatabase {
  /// Inserts one event of stream `a` for each payload.
  func insert(_ payloads: [String]) async throws {
    let rows = payloads.enumerated().map { "('a', 'T', $j$\($1)$j$, \($0 + 1))" }
    try await psql(
      "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES \(rows.joined(separator: ", "))"
    )
  }

  /// Everything in the database, as text.
  func dump() async throws -> String {
    let run = try await runShell("pg_dump", environment: environment)
    #expect(run.exitCode == 0, "\(run.standardError)")
    return run.standardOutput
  }
}
