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

  func run() async throws {
    let store = try await connection.store()
    let limit = sample.limit(default: 10_000)
    let shape = try await store.shape(ofType: type, sample: limit, findingRequired: jsonSchema)
    if jsonSchema {
      StandardOutput.writeJSON(shape.jsonSchema + "\n")
      StandardOutput.flush()
    } else if shapes {
      print(shape.variantRows)
    } else {
      print(shape.pathRows)
    }
    if !jsonSchema { StandardError.note(Self.summary(shape)) }
  }

  private func print<R: Record>(_ rows: [R]) {
    var printer = RecordPrinter<R>(output.format)
    for row in rows { printer.print(row) }
    printer.finish()
  }

  private static func summary(_ shape: TypeShape) -> String {
    let events = Field.grouped(shape.events)
    let extent =
      shape.isSampled ? "a sample of \(Field.grouped(shape.examined)) of \(events)" : "all \(events)"
    let count = shape.variantCount == 1 ? "one shape" : "\(shape.variantCount) shapes (--shapes)"
    return "\(shape.type): \(count) in \(extent) events"
  }
}

/// A path of a payload.
struct PathRow: Record {
  let path: TypeShape.Path
  let examined: Int64

  static let columns = [
    "path", "types", "events", "share", "first_seen", "last_seen", "example",
  ].map(Column.init)

  var fields: [Field] {
    [
      .text(path.path), .text(types), .integer(path.events), .share(Double(path.events) / Double(examined)),
      .text(path.firstSeen.description), .text(path.lastSeen.description),
      path.example.map { .json($0) } ?? .null,
    ]
  }

  /// The most frequent first.
  private var types: String {
    path.types.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).joined(separator: "|")
  }
}

/// A shape, told as what it has more (+) and less (-) than the most frequent one.
struct VariantRow: Record {
  let variant: TypeShape.Variant
  let number: Int
  let examined: Int64
  let first: TypeShape.Variant

  static let columns = [
    "shape", "events", "share", "first_seen", "last_seen", "difference",
  ].map(Column.init)

  var fields: [Field] {
    [
      .integer(Int64(number)), .integer(variant.events), .share(Double(variant.events) / Double(examined)),
      .text(variant.firstSeen.description), .text(variant.lastSeen.description), .text(difference),
    ]
  }

  private var difference: String {
    if number == 1 { return variant.members.joined(separator: ", ") }
    return variant.difference(from: first).joined(separator: ", ")
  }
}

extension TypeShape {
  fileprivate var pathRows: [PathRow] { paths.map { PathRow(path: $0, examined: examined) } }

  fileprivate var variantRows: [VariantRow] {
    variants.enumerated().map { index, variant in
      VariantRow(variant: variant, number: index + 1, examined: examined, first: variants[0])
    }
  }
}
