internal import LibPQ

/// Known findings: a check leaves them out, and still reports new ones.
///
/// Its file is NDJSON: a header with the name of the store, and a line for each finding. A finding is identified by
/// everything except its severity and its likely cause, so a gap that has grown is a new one. Findings of a manifest
/// are never known; a new manifest accepts them.
public struct Baseline: Sendable, Hashable {
  private let header: ByteString
  private var lines: Set<ByteString> = []

  /// One without findings.
  public init(of table: QualifiedName) {
    header = Self.header(of: table)
  }

  /// Reads a baseline file.
  ///
  /// - Parameters:
  ///   - path: for messages.
  ///   - bytes: the contents of the file.
  /// - Throws: ``EventStoreError`` with code `invalidInput` if it is not such a file.
  public init(path: String, bytes: [UInt8]) throws {
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map {
      ByteString(String(decoding: $0, as: UTF8.self))
    }
    guard let header = lines.first, header.string.utf8.starts(with: Self.beginning.utf8) else {
      throw Self.wrong(path, line: 1, "is not the header of a baseline")
    }
    self.header = header
    for (index, line) in lines.enumerated().dropFirst() {
      guard line.string.utf8.starts(with: "{\"kind\":\"".utf8), line.string.utf8.last == UInt8(ascii: "}")
      else {
        throw Self.wrong(path, line: index + 1, "is not a finding")
      }
      self.lines.insert(line)
    }
  }

  /// Makes a finding known.
  public mutating func add(_ finding: Finding) {
    guard !Finding.Kind.integrity.contains(finding.kind) else { return }
    lines.insert(Self.line(finding))
  }

  /// The contents of its file, the same for the same findings.
  public var bytes: [UInt8] {
    ([header] + lines.sorted()).flatMap { Array($0.string.utf8) + [UInt8(ascii: "\n")] }
  }

  func contains(_ finding: Finding) -> Bool {
    !Finding.Kind.integrity.contains(finding.kind) && lines.contains(Self.line(finding))
  }

  /// Refuses the baseline of another store.
  func require(_ table: QualifiedName) throws {
    guard header != Self.header(of: table) else { return }
    throw EventStoreError(
      .invalidInput,
      "the baseline is not of \(table)",
      detail: "Its header is \(header), and that of a baseline of \(table) is \(Self.header(of: table)).",
      hint: "Use the baseline that was written for this store."
    )
  }

  private static let beginning = "{\"annals_baseline\":1,"

  private static func header(of table: QualifiedName) -> ByteString {
    ByteString("\(beginning)\"store\":\(quoted(table.description))}")
  }

  private static func line(_ finding: Finding) -> ByteString {
    var line = "{\"kind\":\"\(finding.kind.rawValue)\""
    if let aggregateID = finding.aggregateID { line += ",\"aggregate_id\":\(quoted(aggregateID))" }
    if let version = finding.version { line += ",\"version\":\(version)" }
    if let lastVersion = finding.lastVersion { line += ",\"last_version\":\(lastVersion)" }
    if let position = finding.position { line += ",\"position\":\(position)" }
    return ByteString(line + ",\"detail\":\(quoted(finding.detail))}")
  }

  private static func quoted(_ text: String) -> String { ManifestFormat.quoted(Array(text.utf8)) }

  private static func wrong(_ path: String, line: Int, _ fault: String) -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "\(path):\(line): the line \(fault)",
      hint: "Write the baseline again."
    )
  }
}
