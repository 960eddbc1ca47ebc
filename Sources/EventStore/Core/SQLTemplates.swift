/// The `.sql` files of this target, with the names of their places. A test reads them all.
extension SQLTemplate {
  static let appendEvents = SQLTemplate(
    PackageResources.AppendEvents_sql,
    "events",
    "archived",
    "metadata_column",
    "metadata_value",
    "position"
  )
  static let endTransaction = SQLTemplate(PackageResources.EndTransaction_sql)
  static let findEvents = SQLTemplate(
    PackageResources.FindEvents_sql,
    "events",
    "position",
    "stored_metadata",
    "same_aggregate"
  )
  static let findGroupedHeads = SQLTemplate(PackageResources.FindGroupedHeads_sql, "events")
  static let findHeads = SQLTemplate(PackageResources.FindHeads_sql, "events", "archived")
  static let findPositions = SQLTemplate(PackageResources.FindPositions_sql, "events")
  static let insertTriggers = SQLTemplate(PackageResources.InsertTriggers_sql)
  static let isStatementRunning = SQLTemplate(PackageResources.IsStatementRunning_sql)
  static let transactionFate = SQLTemplate(PackageResources.TransactionFate_sql)
  static let uniqueColumns = SQLTemplate(PackageResources.UniqueColumns_sql)
  static let uniqueKeys = SQLTemplate(PackageResources.UniqueKeys_sql)

  static let archivableStreams = SQLTemplate(
    PackageResources.ArchivableStreams_sql,
    "names",
    "events",
    "last",
    "conditions"
  )
  static let moveEvents = SQLTemplate(
    PackageResources.MoveEvents_sql,
    "from",
    "to",
    "names",
    "versions",
    "columns",
    "overriding"
  )
  static let streamNames = SQLTemplate(PackageResources.StreamNames_sql, "events", "after", "most")

  static let collidingEvents = SQLTemplate(PackageResources.CollidingEvents_sql, "batch", "places")
  static let eventsInPlaces = SQLTemplate(
    PackageResources.EventsInPlaces_sql,
    "batch",
    "events",
    "place",
    "stored_position",
    "position",
    "stored_metadata",
    "metadata"
  )
  static let missingEvents = SQLTemplate(PackageResources.MissingEvents_sql, "batch", "events", "position")
  static let restoreMissing = SQLTemplate(PackageResources.RestoreMissing_sql, "batch", "events", "columns")

  static let detectLayouts = SQLTemplate(PackageResources.DetectLayouts_sql)
  static let distributedRows = SQLTemplate(PackageResources.DistributedRows_sql)
  static let distributionFacts = SQLTemplate(PackageResources.DistributionFacts_sql)
  static let storeFacts = SQLTemplate(PackageResources.StoreFacts_sql)
  static let tableIndexes = SQLTemplate(PackageResources.TableIndexes_sql)

  static let nameFailures = SQLTemplate(
    PackageResources.NameFailures_sql,
    "events",
    "position",
    "condition",
    "source",
    "values",
    "limit"
  )
  static let nodesOfPayload = SQLTemplate(PackageResources.NodesOfPayload_sql, "payload", "step")
  static let shapeChanges = SQLTemplate(PackageResources.ShapeChanges_sql, "sample", "key", "step")
  static let estimatedEvents = SQLTemplate(PackageResources.EstimatedEvents_sql)
  static let estimatedTypes = SQLTemplate(
    PackageResources.EstimatedTypes_sql,
    "events",
    "first_time",
    "last_time"
  )
  static let typeCounts = SQLTemplate(
    PackageResources.TypeCounts_sql,
    "events",
    "conditions",
    "bounds"
  )

  static let countedCategories = SQLTemplate(
    PackageResources.CountedCategories_sql,
    "events",
    "category",
    "conditions",
    "named",
    "order"
  )
  static let countedGroups = SQLTemplate(
    PackageResources.CountedGroups_sql,
    "source",
    "shown",
    "keys",
    "key_numbers",
    "events",
    "bytes",
    "times",
    "streams",
    "factor",
    "is_estimate",
    "order"
  )
  static let payloadSizes = SQLTemplate(PackageResources.PayloadSizes_sql, "source", "limit")
  static let streamLengths = SQLTemplate(PackageResources.StreamLengths_sql, "events")
  static let countedStore = SQLTemplate(PackageResources.CountedStore_sql, "events", "time", "times")
  static let countedStreams = SQLTemplate(
    PackageResources.CountedStreams_sql,
    "events",
    "summary",
    "conditions",
    "having",
    "order"
  )
  static let listedStreams = SQLTemplate(
    PackageResources.ListedStreams_sql,
    "chosen",
    "events",
    "summary",
    "time",
    "most",
    "counted"
  )
  static let nextCategories = SQLTemplate(
    PackageResources.NextCategories_sql,
    "events",
    "range",
    "order",
    "limit"
  )
  static let nextNames = SQLTemplate(
    PackageResources.NextNames_sql,
    "events",
    "column",
    "range",
    "order",
    "limit"
  )
  static let recentEvents = SQLTemplate(
    PackageResources.RecentEvents_sql,
    "events",
    "time",
    "hours",
    "total",
    "most"
  )
  static let relationSizes = SQLTemplate(PackageResources.RelationSizes_sql)

  static let deadLetters = SQLTemplate(PackageResources.DeadLetters_sql)
  static let dependents = SQLTemplate(PackageResources.Dependents_sql)
  static let distributedTables = SQLTemplate(PackageResources.DistributedTables_sql)
  static let differenceQueries = SQLTemplate(PackageResources.DifferenceQueries_sql)
  static let shadowingNames = SQLTemplate(PackageResources.ShadowingNames_sql)
  static let writesElsewhere = SQLTemplate(PackageResources.WritesElsewhere_sql, "defining")
  static let immovableObjects = SQLTemplate(PackageResources.ImmovableObjects_sql)
  static let liveAdditions = SQLTemplate(PackageResources.LiveAdditions_sql)
  static let liveOwners = SQLTemplate(PackageResources.LiveOwners_sql)
  static let liveProperties = SQLTemplate(PackageResources.LiveProperties_sql)
  static let nameClashes = SQLTemplate(PackageResources.NameClashes_sql)
  static let olderTransactions = SQLTemplate(PackageResources.OlderTransactions_sql)
  static let projectionStatus = SQLTemplate(PackageResources.ProjectionStatus_sql)
  static let readModelObjects = SQLTemplate(PackageResources.ReadModelObjects_sql)

  static let categoriesByPrefix = SQLTemplate(PackageResources.CategoriesByPrefix_sql, "events")
  static let endOfHistory = SQLTemplate(PackageResources.EndOfHistory_sql, "events", "sequence")
  static let lastName = SQLTemplate(PackageResources.LastName_sql, "events", "column", "order", "end")
  static let positionUntil = SQLTemplate(PackageResources.PositionUntil_sql, "events", "time")
  static let namesByPrefix = SQLTemplate(
    PackageResources.NamesByPrefix_sql,
    "events",
    "column",
    "order",
    "end"
  )
  static let aliveTransactions = SQLTemplate(PackageResources.AliveTransactions_sql)
  static let missingPositions = SQLTemplate(
    PackageResources.MissingPositions_sql,
    "positions",
    "start",
    "end"
  )
  static let uniqueColumn = SQLTemplate(PackageResources.UniqueColumn_sql)
  static let positionFaults = SQLTemplate(PackageResources.PositionFaults_sql)
  static let traceIndexes = SQLTemplate(PackageResources.TraceIndexes_sql)
  static let traceCauses = SQLTemplate(PackageResources.TraceCauses_sql, "events", "causation")
  static let watermark = SQLTemplate(PackageResources.Watermark_sql)
  static let publishWatermark = SQLTemplate(PackageResources.PublishWatermark_sql, "events")
  static let publishedWatermark = SQLTemplate(PackageResources.PublishedWatermark_sql, "events")

  static let addMetadata = SQLTemplate(PackageResources.AddMetadata_sql, "events")
  static let addPosition = SQLTemplate(PackageResources.AddPosition_sql, "events", "events_literal")
  static let createEvents = SQLTemplate(
    PackageResources.CreateEvents_sql,
    "events",
    "id_key",
    "partitioning",
    "position_key"
  )
  static let numberEvents = SQLTemplate(
    PackageResources.NumberEvents_sql,
    "numbers",
    "events",
    "key",
    "start"
  )
  static let eventsTable = SQLTemplate(PackageResources.EventsTable_sql)
  static let hasUniqueKey = SQLTemplate(PackageResources.HasUniqueKey_sql)
  static let tableColumns = SQLTemplate(PackageResources.TableColumns_sql)

  static let cell = SQLTemplate(PackageResources.Cell_sql, "text")
  static let givenEvents = SQLTemplate(PackageResources.GivenEvents_sql, "events")
  static let writesToOthers = SQLTemplate(PackageResources.WritesToOthers_sql)

  static let changes = SQLTemplate(PackageResources.Changes_sql, "descends")
  static let verifySnapshots = SQLTemplate(
    PackageResources.VerifySnapshots_sql,
    "events",
    "ids",
    "reducer",
    "path",
    "whole",
    "changes"
  )

  static let checkpointFindings = SQLTemplate(PackageResources.CheckpointFindings_sql)
  static let consumerFindings = SQLTemplate(PackageResources.ConsumerFindings_sql)
  static let standbyReplay = SQLTemplate(PackageResources.StandbyReplay_sql)
  static let consumerStatus = SQLTemplate(PackageResources.ConsumerStatus_sql)
  static let readerLag = SQLTemplate(PackageResources.ReaderLag_sql, "events")
  static let readerLags = SQLTemplate(PackageResources.ReaderLags_sql, "events")
  static let duplicateValues = SQLTemplate(
    PackageResources.DuplicateValues_sql,
    "events",
    "scope",
    "position",
    "value"
  )
  static let copiedValues = SQLTemplate(PackageResources.CopiedValues_sql, "events", "value")
  static let eventsOfValues = SQLTemplate(
    PackageResources.EventsOfValues_sql,
    "events",
    "scope",
    "position",
    "value",
    "values",
    "or_null"
  )
  static let bucketSums = SQLTemplate(
    PackageResources.BucketSums_sql,
    "bucket",
    "events",
    "timestamp",
    "metadata",
    "condition"
  )
  static let eventHashes = SQLTemplate(
    PackageResources.EventHashes_sql,
    "events",
    "timestamp",
    "metadata",
    "redactions",
    "streams",
    "condition"
  )
  static let gapEvidence = SQLTemplate(
    PackageResources.GapEvidence_sql,
    "events",
    "aggregate",
    "first_missing",
    "last_missing"
  )
  static let orderFindings = SQLTemplate(
    PackageResources.OrderFindings_sql,
    "events",
    "scope",
    "position",
    "timestamp",
    "order",
    "by_time",
    "with_position",
    "with_time"
  )
  static let positionHoles = SQLTemplate(PackageResources.PositionHoles_sql, "events")
  static let readers = SQLTemplate(PackageResources.Readers_sql)
  static let snapshotFindings = SQLTemplate(PackageResources.SnapshotFindings_sql, "events", "scope", "store")
  static let groupedSnapshotFindings = SQLTemplate(
    PackageResources.GroupedSnapshotFindings_sql,
    "events",
    "scope",
    "store"
  )
  static let streamEnds = SQLTemplate(PackageResources.StreamEnds_sql, "events")
  static let streams = SQLTemplate(PackageResources.Streams_sql, "events", "scope", "versions", "start")
  static let versionFindings = SQLTemplate(
    PackageResources.VersionFindings_sql,
    "events",
    "first",
    "start",
    "late",
    "scope",
    "position",
    "versions"
  )

  static let auditEntries = SQLTemplate(
    PackageResources.AuditEntries_sql,
    "store",
    "since",
    "until",
    "actions",
    "most"
  )

  static let redactEvents = SQLTemplate(
    PackageResources.RedactEvents_sql,
    "audit",
    "changes",
    "events",
    "from",
    "metadata",
    "names",
    "store",
    "timestamp",
    "versions"
  )
  static let updateTriggers = SQLTemplate(PackageResources.UpdateTriggers_sql)

  static let grantRoles = SQLTemplate(
    PackageResources.GrantRoles_sql,
    "admin",
    "appender",
    "columns",
    "database",
    "events",
    "projector",
    "reader",
    "schema",
    "archive_grants",
    "sequence_grants"
  )
  static let protectedTables = SQLTemplate(PackageResources.ProtectedTables_sql)
  static let revokeRoles = SQLTemplate(
    PackageResources.RevokeRoles_sql,
    "database",
    "events",
    "roles",
    "schema",
    "archive_revokes",
    "sequence_revokes"
  )

  /// All templates except the migrations.
  static let all: [SQLTemplate] = [
    .archivableStreams, .moveEvents, .streamNames,
    .auditEntries, .redactEvents, .updateTriggers, .grantRoles, .protectedTables, .revokeRoles,
    .collidingEvents, .eventsInPlaces,
    .missingEvents, .restoreMissing,
    .appendEvents, .endTransaction, .findEvents, .findGroupedHeads, .findHeads, .findPositions,
    .insertTriggers,
    .isStatementRunning, .transactionFate, .uniqueColumns, .uniqueKeys, .detectLayouts, .distributedRows,
    .distributionFacts, .storeFacts,
    .tableIndexes, .nameFailures, .nodesOfPayload, .shapeChanges, .typeCounts, .estimatedEvents,
    .estimatedTypes, .countedCategories, .countedGroups, .countedStore, .countedStreams,
    .payloadSizes, .streamLengths,
    .listedStreams, .nextCategories, .nextNames, .recentEvents, .relationSizes, .deadLetters, .dependents,
    .differenceQueries, .distributedTables, .immovableObjects,
    .liveAdditions, .liveOwners, .liveProperties, .nameClashes, .olderTransactions,
    .projectionStatus, .readModelObjects, .shadowingNames, .writesElsewhere, .categoriesByPrefix,
    .endOfHistory, .aliveTransactions, .missingPositions, .uniqueColumn,
    .lastName, .namesByPrefix, .positionFaults, .positionUntil, .traceCauses, .traceIndexes, .watermark,
    .publishWatermark, .publishedWatermark,
    .addMetadata, .addPosition, .createEvents, .numberEvents,
    .eventsTable, .hasUniqueKey, .tableColumns, .changes,
    .verifySnapshots, .cell, .givenEvents, .writesToOthers,
    .checkpointFindings, .consumerFindings, .consumerStatus, .standbyReplay, .duplicateValues, .eventHashes,
    .bucketSums, .copiedValues, .eventsOfValues, .groupedSnapshotFindings,
    .gapEvidence,
    .orderFindings, .positionHoles, .readerLag, .readerLags, .readers, .snapshotFindings, .streamEnds,
    .streams, .versionFindings,
  ]
}
