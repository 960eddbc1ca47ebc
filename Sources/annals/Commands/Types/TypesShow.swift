internal import ArgumentParser
internal import EventStore

struct TypesShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what the payloads of an event type look like.",
    discussion: """
        annals types show OrderSubmitted
        annals types show OrderSubmitted --shapes
        annals types show OrderSubmitted --json-schema > OrderSubmitted.schema.json
      """
  )

  @Argument(help: ArgumentHelp("The event type.", valueName: "type"), completion: .eventType)
  var type: String

  @Flag(help: "Show the shapes that occur, not the paths.")
  var shapes = false

  @Flag(help: "Print a JSON Schema (2020-12).")
  var jsonSchema = false

  @OptionGroup var sample: SampleOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if shapes {
      try output.checkFields(of: VariantRecord.self)
    } else {
      try output.checkFields(of: PathRecord.self)
    }
  }

  func run() async throws {
    let store = try await connection.store()
    let limit = sample.limit(default: 10_000)
    let shape = try await store.shape(ofType: type, sample: limit, findingRequired: jsonSchema)
    if jsonSchema {
      StandardOutput.writeJSON(shape.jsonSchema + "\n")
      StandardOutput.flush()
    } else if shapes {
      output.print(shape.variantRecords)
    } else {
      output.print(shape.pathRecords)
    }
    if !jsonSchema { StandardError.note(Self.summary(shape)) }
  }

  private static func summary(_ shape: TypeShape) -> String {
    let events = shape.countedEvents
    let extent =
      shape.isSampled
      ? "a sample of \(Field.grouped(shape.examined)) of \(events)"
      : shape.events == 1 ? events : "all \(events)"
    let count = shape.variantCount == 1 ? "one shape" : "\(shape.variantCount) shapes (--shapes)"
    return "\(shape.type): \(count) in \(extent)"
  }
}

extension TypeShape {
  var countedEvents: String { (isEstimate ? "about " : "") + Field.counted(events, "event") }
}

/// A path of a payload.
struct PathRecord: Record {
  let path: TypeShape.Path
  let examined: Int64

  static let columns: [Column<Self>] = [
    Column("path", .high) { .text($0.path.path) },
    Column("types", .high) { .text($0.types) },
    Column("events", .low) { Field($0.path.events) },
    Column("share") { .share(Double($0.path.events) / Double($0.examined)) },
    .time("first_seen", .least) { $0.path.firstSeen },
    .time("last_seen", .least) { $0.path.lastSeen },
    Column("example") { Field(json: $0.path.example) },
  ]

  /// The most frequent first.
  private var types: String {
    path.types.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).joined(separator: "|")
  }
}

/// A shape, shown as what it has (+) and lacks (-) compared with the most frequent one.
struct VariantRecord: Record {
  let variant: TypeShape.Variant
  let number: Int
  let examined: Int64
  let first: TypeShape.Variant

  static let columns: [Column<Self>] = [
    Column("shape") { Field($0.number) },
    Column("events") { Field($0.variant.events) },
    Column("share") { .share(Double($0.variant.events) / Double($0.examined)) },
    .time("first_seen", .low) { $0.variant.firstSeen },
    .time("last_seen", .low) { $0.variant.lastSeen },
    Column("difference", .high) { .text($0.difference) },
  ]

  private var difference: String {
    if number == 1 { return variant.members.joined(separator: ", ") }
    return variant.difference(from: first).joined(separator: ", ")
  }
}

extension TypeShape {
  var pathRecords: [PathRecord] { paths.map { PathRecord(path: $0, examined: examined) } }

  var variantRecords: [VariantRecord] {
    variants.enumerated().map { index, variant in
      VariantRecord(variant: variant, number: index + 1, examined: examined, first: variants[0])
    }
  }
}
