import LibPQ
import TestSupport
import Testing

@testable import EventStore

/// A store of another framework: its tables as its own sources define them, and two events of one stream with one of another
/// between, which say `{"n": 1}`, `{"n": 2}` and `{"n": 3}`.
struct FrameworkStore: Sendable, CustomTestStringConvertible {
  /// Of the layout that reads it.
  let name: String
  /// Where the layout looks for the tables unless told otherwise.
  var schema = "public"
  let tables: String
  let events: String
  /// Takes the first event of the first stream away.
  let damage: String
  var aggregateIDs = ["order-1", "order-2"]
  var payloads = (1...3).map { #"{"n": \#($0)}"# }
  /// What the metadata of the first event contain; nil without metadata.
  var metadata: String? = #""by": "x""#
  var positions: Positions = .final(head: 3)
  /// Whether the layout is one of the examples.
  var isExample = false

  enum Positions: Sendable, Equatable {
    case final(head: Int64)
    case dense(head: Int64)
    case late
    case none
  }

  var testDescription: String { name }

  /// The store in a schema.
  func sql(in schema: String? = nil) -> String {
    let schema = quoteIdentifier(schema ?? self.schema)
    return "CREATE SCHEMA IF NOT EXISTS \(schema); SET search_path = \(schema);" + tables + events
  }

  func layout(inSchema schema: String? = nil) throws -> Layout {
    let path = "Examples/layouts/\(name).sql"
    let layout =
      isExample
      ? try Layout(path: path, bytes: Array(SourceTree.read(path).utf8))
      : try #require(Layout(shipped: name))
    return try layout.setting(schema.map { [LayoutParameter(name: "schema", value: $0)] } ?? [])
  }

  static let uuids = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]

  static let all = dotnet + elixirAndRuby + php + python + others

  static func named(_ name: String) throws -> FrameworkStore { try #require(all.first { $0.name == name }) }
}
