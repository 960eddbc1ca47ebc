internal import EventStore
internal import FoundationEssentials
internal import LibPQ

/// The findings of an earlier check of versions: its records as JSON or NDJSON.
struct FindingsFile {
  let path: String
  /// How many there are of each kind, by name.
  let counts: [(kind: String, number: Int)]
  let errors: Int
  /// How many there are.
  let number: Int
  /// The first ones.
  let first: [Entry]

  struct Entry: Decodable, Sendable {
    let kind: String
    let severity: String
    let aggregateId: String?
    let version: Int64?
    let position: Int64?
    let detail: String?
  }

  private static let mostKept = 100

  /// The whole file, as JSON.
  private struct Whole: Decodable {
    let findings: [Entry]
  }

  /// A line of NDJSON.
  private struct Line: Decodable {
    let kind: String?
    let severity: String?
  }

  init(_ path: String) throws {
    self.path = path
    let bytes = try InputFile.read(path)
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let entries: [Entry]
      if let whole = try? decoder.decode(Whole.self, from: Data(bytes)) {
        entries = whole.findings
      } else {
        // The last line has the number of findings, and is not a finding.
        entries = try bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
          let members = try decoder.decode(Line.self, from: Data(line))
          guard members.kind != nil, members.severity != nil else { return nil }
          return try decoder.decode(Entry.self, from: Data(line))
        }
      }
      number = entries.count
      first = Array(entries.prefix(Self.mostKept))
      errors = entries.count { $0.severity == "error" }
      let numbers = Dictionary(entries.map { (ByteString($0.kind), 1) }, uniquingKeysWith: +)
      counts = numbers.map { ($0.key.string, $0.value) }.sorted {
        $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
      }
    } catch is DecodingError {
      throw CommandError(
        .badInput,
        "\(path) does not have the findings of a check",
        code: "invalidInput",
        hint: "'annals verify-versions -o json' writes them."
      )
    }
  }
}
