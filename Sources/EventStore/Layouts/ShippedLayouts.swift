extension Layout {
  /// The layouts that come with annals, by name.
  public static let shippedNames = shipped.map(\.name)

  /// The layout of that name that comes with annals.
  public init?(shipped name: String) {
    guard let file = Self.shipped.first(where: { $0.name == name }) else { return nil }
    // A test reads all of them.
    guard let layout = try? Layout(path: "layout \(name)", bytes: file.bytes) else { return nil }
    self = layout
  }

  private static let shipped = [
    (name: "commanded", bytes: PackageResources.commanded_sql),
    (name: "commanded-bytea", bytes: PackageResources.commanded_bytea_sql),
    (name: "commanded-links", bytes: PackageResources.commanded_links_sql),
    (name: "emmett", bytes: PackageResources.emmett_sql),
    (name: "eventsauce", bytes: PackageResources.eventsauce_sql),
    (name: "eventuous", bytes: PackageResources.eventuous_sql),
    (name: "marten", bytes: PackageResources.marten_sql),
    (name: "marten-conjoined", bytes: PackageResources.marten_conjoined_sql),
    (name: "marten-tenant-partitions", bytes: PackageResources.marten_tenant_partitions_sql),
    (name: "message-db", bytes: PackageResources.message_db_sql),
    (name: "message-db-eventide", bytes: PackageResources.message_db_eventide_sql),
    (name: "message-db-protean", bytes: PackageResources.message_db_protean_sql),
    (name: "patchlevel", bytes: PackageResources.patchlevel_sql),
    (name: "patchlevel-aggregate", bytes: PackageResources.patchlevel_aggregate_sql),
    (name: "patchlevel-stream", bytes: PackageResources.patchlevel_stream_sql),
    (name: "pekko-jdbc", bytes: PackageResources.pekko_jdbc_sql),
    (name: "pyeventsourcing", bytes: PackageResources.pyeventsourcing_sql),
    (name: "pyeventsourcing-opaque", bytes: PackageResources.pyeventsourcing_opaque_sql),
    (name: "rails-event-store", bytes: PackageResources.rails_event_store_sql),
    (name: "rails-event-store-bytea", bytes: PackageResources.rails_event_store_bytea_sql),
    (name: "rails-event-store-yaml", bytes: PackageResources.rails_event_store_yaml_sql),
    (name: "sequent", bytes: PackageResources.sequent_sql),
    (name: "sequent-ordered", bytes: PackageResources.sequent_ordered_sql),
    (name: "spatie", bytes: PackageResources.spatie_sql),
    (name: "sqlstreamstore", bytes: PackageResources.sqlstreamstore_sql),
  ]
}
