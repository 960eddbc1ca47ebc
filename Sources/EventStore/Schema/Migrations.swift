internal import LibPQ

/// A numbered change of schema `annals`. Numbers only grow; a migration that was released is never edited.
struct Migration {
  let number: Int32
  let name: String
  let sql: SQLTemplate
}

let migrations = [
  Migration(number: 1, name: "base", sql: SQLTemplate(PackageResources.Migration0001_base_sql)),
  Migration(number: 2, name: "snapshots", sql: SQLTemplate(PackageResources.Migration0002_snapshots_sql)),
  Migration(number: 3, name: "projections", sql: SQLTemplate(PackageResources.Migration0003_projections_sql)),
  Migration(number: 4, name: "checkpoints", sql: SQLTemplate(PackageResources.Migration0004_checkpoints_sql)),
  Migration(
    number: 5,
    name: "verification",
    sql: SQLTemplate(PackageResources.Migration0005_verification_sql)
  ),
  Migration(number: 6, name: "evolutions", sql: SQLTemplate(PackageResources.Migration0006_evolutions_sql)),
  Migration(
    number: 7,
    name: "parked events",
    sql: SQLTemplate(PackageResources.Migration0007_parked_events_sql)
  ),
  Migration(number: 8, name: "seen events", sql: SQLTemplate(PackageResources.Migration0008_seen_events_sql)),
  Migration(
    number: 9,
    name: "passed holes",
    sql: SQLTemplate(PackageResources.Migration0009_passed_holes_sql)
  ),
  Migration(number: 10, name: "upcasters", sql: SQLTemplate(PackageResources.Migration0010_upcasters_sql)),
  Migration(number: 11, name: "watermarks", sql: SQLTemplate(PackageResources.Migration0011_watermarks_sql)),
  Migration(
    number: 12,
    name: "partial_verifications",
    sql: SQLTemplate(PackageResources.Migration0012_partial_verifications_sql)
  ),
  Migration(number: 13, name: "audit", sql: SQLTemplate(PackageResources.Migration0013_audit_sql)),
  Migration(number: 14, name: "done ahead", sql: SQLTemplate(PackageResources.Migration0014_done_ahead_sql)),
  Migration(
    number: 15,
    name: "protection",
    sql: SQLTemplate(PackageResources.Migration0015_protection_sql)
  ),
  Migration(
    number: 16,
    name: "redactions",
    sql: SQLTemplate(PackageResources.Migration0016_redactions_sql)
  ),
  Migration(number: 17, name: "archives", sql: SQLTemplate(PackageResources.Migration0017_archives_sql)),
  Migration(
    number: 18,
    name: "skipped events",
    sql: SQLTemplate(PackageResources.Migration0018_skipped_events_sql)
  ),
  Migration(
    number: 19,
    name: "notifications",
    sql: SQLTemplate(PackageResources.Migration0019_notifications_sql)
  ),
]

/// The version of schema `annals`.
struct MigrationState: Sendable, Hashable {
  /// The newest migration that was applied, 0 without the schema; nil if the role may not look.
  let applied: Int32?
  /// The newest migration that this annals has.
  let latest: Int32
}

extension StoreConnection {
  /// The migrations that this database has not had, in order.
  ///
  /// - Throws: ``EventStoreError`` when a newer annals was here: its tables may have another meaning.
  func pendingMigrations() throws -> [InitializationResult.Step] {
    let applied = try appliedMigration()
    try refuseNewerSchema(applied)
    return migrations.filter { $0.number > applied }.map { migration in
      let record =
        "INSERT INTO annals.migrations (number, name) VALUES (\(migration.number), \(quoteLiteral(migration.name)));\n"
      return .init(
        title: "Migrate schema annals to \(migration.number) (\(migration.name))",
        sql: migration.sql.sql + record
      )
    }
  }

  /// The version of schema `annals`, as far as the role may see it.
  func migrationState() throws -> MigrationState {
    let isKnown = try !connection.schemaExists("annals") || connection.canReadOwnTables(["migrations"])
    return MigrationState(
      applied: isKnown ? try appliedMigration() : nil,
      latest: Int32(migrations.count)
    )
  }

  /// The number of the newest migration that was applied; 0 without schema `annals`.
  func appliedMigration() throws -> Int32 {
    let exists = try connection.query("SELECT to_regclass('annals.migrations') IS NOT NULL").bool(0, 0)
    guard exists else { return 0 }
    return try connection.query("SELECT coalesce(max(number), 0) FROM annals.migrations").int32(0, 0)
  }

  private func refuseNewerSchema(_ applied: Int32) throws {
    guard applied > migrations.count else { return }
    throw EventStoreError(
      .failed,
      "schema annals belongs to a newer annals (migration \(applied); this version knows \(migrations.count))",
      hint: "Use that version of annals, or a newer one."
    )
  }

  /// Refuses an operation that needs schema `annals` if the schema is missing, old, or newer than this version: its
  /// tables may then have another meaning.
  func requireSchema() throws {
    let applied = try appliedMigration()
    try refuseNewerSchema(applied)
    guard applied < migrations.count else { return }
    throw EventStoreError(
      .failed,
      applied == 0
        ? "this database has no schema annals, which this command needs"
        : "schema annals is at migration \(applied), and this version needs \(migrations.count)",
      hint: "Run \(.initialize) once; it does not change events."
    )
  }
}
