// swift-tools-version: 6.2
import PackageDescription

/// Every target is compiled with the same strict settings.
///
/// Warnings are errors in CI only: a newer compiler's new warning must not break the build of
/// somebody who merely depends on the library.
let strict: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
  ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let package = Package(
  name: "annals",
  products: [
    .executable(name: "annals", targets: ["annals"]),
    .library(name: "EventStore", targets: ["EventStore"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
  ],
  targets: [
    .systemLibrary(
      name: "CLibPQ",
      pkgConfig: "libpq",
      providers: [.apt(["libpq-dev"])]
    ),
    .target(
      name: "LibPQ",
      dependencies: ["CLibPQ"],
      // Lifetimes: a column is read in place, as a span that cannot outlive its result.
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]
    ),
    .target(
      name: "EventStore",
      dependencies: ["LibPQ"],
      resources: [
        .embedInCode("Append/AppendEvents.sql"),
        .embedInCode("Append/FindEvents.sql"),
        .embedInCode("Append/FindHeads.sql"),
        .embedInCode("Append/FindPositions.sql"),
        .embedInCode("Append/UniqueColumns.sql"),
        .embedInCode("Append/UniqueIDs.sql"),
        .embedInCode("Diagnosis/StoreFacts.sql"),
        .embedInCode("Diagnosis/TableIndexes.sql"),
        .embedInCode("Evolution/NameFailures.sql"),
        .embedInCode("Evolution/NodesOfPayload.sql"),
        .embedInCode("Evolution/ShapeChanges.sql"),
        .embedInCode("Evolution/TypeCounts.sql"),
        .embedInCode("Layouts/commanded.sql"),
        .embedInCode("Layouts/emmett.sql"),
        .embedInCode("Layouts/marten.sql"),
        .embedInCode("Layouts/message-db.sql"),
        .embedInCode("Layouts/patchlevel.sql"),
        .embedInCode("Layouts/sequent.sql"),
        .embedInCode("Projections/DeadLetters.sql"),
        .embedInCode("Projections/Dependents.sql"),
        .embedInCode("Projections/DifferenceQueries.sql"),
        .embedInCode("Projections/LiveAdditions.sql"),
        .embedInCode("Projections/LiveOwners.sql"),
        .embedInCode("Projections/LiveProperties.sql"),
        .embedInCode("Projections/NameClashes.sql"),
        .embedInCode("Projections/OlderTransactions.sql"),
        .embedInCode("Projections/ProjectionStatus.sql"),
        .embedInCode("Projections/ReadModelObjects.sql"),
        .embedInCode("Read/CategoriesByPrefix.sql"),
        .embedInCode("Read/NamesByPrefix.sql"),
        .embedInCode("Read/Trace.sql"),
        .embedInCode("Read/Watermark.sql"),
        .embedInCode("Schema/AddMetadata.sql"),
        .embedInCode("Schema/AddPosition.sql"),
        .embedInCode("Schema/CreateEvents.sql"),
        .embedInCode("Schema/EventsTable.sql"),
        .embedInCode("Schema/HasUniqueKey.sql"),
        .embedInCode("Schema/Migrations/Migration0001_base.sql"),
        .embedInCode("Schema/Migrations/Migration0002_snapshots.sql"),
        .embedInCode("Schema/Migrations/Migration0003_projections.sql"),
        .embedInCode("Schema/Migrations/Migration0004_checkpoints.sql"),
        .embedInCode("Schema/Migrations/Migration0005_verification.sql"),
        .embedInCode("Schema/Migrations/Migration0006_evolutions.sql"),
        .embedInCode("Schema/Migrations/Migration0007_parked_events.sql"),
        .embedInCode("Snapshots/Changes.sql"),
        .embedInCode("Snapshots/VerifySnapshots.sql"),
        .embedInCode("Verification/CheckpointFindings.sql"),
        .embedInCode("Verification/ConsumerFindings.sql"),
        .embedInCode("Verification/ConsumerStatus.sql"),
        .embedInCode("Verification/DuplicateValues.sql"),
        .embedInCode("Verification/EventHashes.sql"),
        .embedInCode("Verification/GapEvidence.sql"),
        .embedInCode("Verification/OrderFindings.sql"),
        .embedInCode("Verification/PositionHoles.sql"),
        .embedInCode("Verification/SnapshotFindings.sql"),
        .embedInCode("Verification/StreamEnds.sql"),
        .embedInCode("Verification/Streams.sql"),
        .embedInCode("Verification/VersionFindings.sql"),
      ],
      swiftSettings: strict
    ),
    .target(
      name: "PostgresSandbox",
      dependencies: [
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "annals",
      dependencies: [
        "EventStore",
        "PostgresSandbox",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict
    ),

    .target(
      name: "TestSupport",
      dependencies: [
        "EventStore", "LibPQ", "PostgresSandbox",
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Tests/TestSupport",
      swiftSettings: strict
    ),
    .testTarget(name: "LibPQTests", dependencies: ["LibPQ", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "EventStoreTests",
      dependencies: [
        "EventStore", "PostgresSandbox", "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "PostgresSandboxTests",
      dependencies: [
        "PostgresSandbox", "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "AnnalsTests",
      dependencies: [
        "annals",
        "TestSupport",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      exclude: ["Snapshots"],
      swiftSettings: strict
    ),
  ]
)
