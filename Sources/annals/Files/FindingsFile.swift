internal import EventStore
internal import FoundationEssentials
internal import LibPQ

/// What an earlier check of versions found: its records as JSON or NDJSON.
struct FindingsFile {
  let path: String
  /// How many there are of each kind, by name.
  let counts: [(kind: String, number: Int)]
  let errors: Int

  private struct Entry: Decodable {
    let kind: String
    let severity: String
  }

  init(_ path: String) throws {
    self.path = path
    let bytes = try InputFile.read(path)
    let isArray = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
    do {
      let entries =
        isArray
        ? try JSONDecoder().decode([Entry].self, from: Data(bytes))
        : try bytes.split(separator: UInt8(ascii: "\n")).map {
          try JSONDecoder().decode(Entry.self, from: Data($0))
        }
      errors = entries.count { $0.severity == "error" }
      let numbers = Dictionary(entries.map { (ByteString($0.kind), 1) }, uniquingKeysWith: +)
      counts = numbers.map { ($0.key.string, $0.value) }.sorted {
        $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
      }
    } catch is DecodingError {
      throw CommandError(
        .badInput,
        "\(path) does not hold the findings of a check",
        code: "invalidInput",
        hint: "'annals verify-versions -o json' writes them."
      )
    }
  }
}
