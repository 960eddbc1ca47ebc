internal import ArgumentParser
internal import EventStore

/// Conditions on the contents of the events that a command reads.
struct ContentOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("A field of the payload: a=x, items[*].sku~TEA-*, n>1.", valueName: "condition"),
    transform: parseField
  )
  var data: [FieldCondition] = []

  @Option(
    help: ArgumentHelp("A field of the metadata, in the same way.", valueName: "condition"),
    transform: parseField
  )
  var metadata: [FieldCondition] = []

  @Option(help: ArgumentHelp("The payload contains each of these words.", valueName: "words"))
  var text: [String] = []

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp("A condition in SQL on the record 'event'.", valueName: "sql"),
    transform: parseSQL
  )
  var sql: [SQLCondition] = []

  func validate() throws {
    if text.contains(where: { $0.unicodeScalars.allSatisfy(\.properties.isWhitespace) }) {
      throw ValidationError("--text needs words to look for")
    }
  }

  var conditions: [ContentCondition] {
    data.map { .data($0) } + metadata.map { .metadata($0) } + text.map { .text($0) } + sql.map { .sql($0) }
  }

  private static func parseField(_ text: String) throws -> FieldCondition {
    try usage { try FieldCondition(text) }
  }

  private static func parseSQL(_ text: String) throws -> SQLCondition {
    try usage { try SQLCondition(text) }
  }

  private static func usage<T>(_ parse: () throws -> T) throws -> T {
    do { return try parse() } catch let error as EventStoreError {
      throw ValidationError(error.message)
    }
  }
}
