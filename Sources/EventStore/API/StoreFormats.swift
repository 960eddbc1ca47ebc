/// The versions of what the library stores, writes and needs.
package enum StoreFormats {
  /// The newest migration of schema `annals`.
  package static var schema: Int { migrations.count }
  /// The format of the files of an export.
  package static var export: Int { ExportFormat.format }
  /// The format of the files of a manifest.
  package static var manifest: Int { ManifestFormat.format }
  /// The oldest PostgreSQL that is supported, as a major version.
  package static let oldestPostgreSQL = 13
}
