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
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
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
      // A rule applies to everything below its folder, which holds nothing but .sql files.
      resources: [
        .embedInCode("Append/SQL"),
        .embedInCode("Archive/SQL"),
        .embedInCode("Audit/SQL"),
        .embedInCode("Backup/SQL"),
        .embedInCode("Comparison/SQL"),
        .embedInCode("Diagnosis/SQL"),
        .embedInCode("Finality/SQL"),
        .embedInCode("Layouts/SQL"),
        .embedInCode("Projections/SQL"),
        .embedInCode("Protection/SQL"),
        .embedInCode("Read/SQL"),
        .embedInCode("Redaction/SQL"),
        .embedInCode("Schema/SQL"),
        .embedInCode("Snapshots/SQL"),
        .embedInCode("Statistics/SQL"),
        .embedInCode("Testing/SQL"),
        .embedInCode("Types/SQL"),
        .embedInCode("Upcasters/SQL"),
        .embedInCode("Verification/SQL"),
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
        "LibPQ",
        "PostgresSandbox",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
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
        "annals", "EventStore", "PostgresSandbox", "TestSupport",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      exclude: ["Reports", "Snapshots"],
      swiftSettings: strict
    ),
  ]
)
