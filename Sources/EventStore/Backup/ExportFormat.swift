internal import LibPQ

/// The first and the last line of an export; annals-export(1), "The file", describes them.
///
/// Between them is one event on each line, as ``EventStore/writeNDJSON(_:to:)`` writes it. The root in the last line is
/// the SHA-256 of those lines. `sed '1d;$d' FILE | sha256sum` prints it, for an export as for a manifest.
enum ExportFormat {
  /// The newest format that this version reads, which is also the one that it writes.
  static let format = 1
  private static let headerStart = #"{"annals_export":"#
  private static let footerStart = #"{"events":"#

  static func isHeader(_ line: ArraySlice<UInt8>) -> Bool { line.starts(with: headerStart.utf8) }
  /// No event begins with the number of events.
  static func isFooter(_ line: ArraySlice<UInt8>) -> Bool { line.starts(with: footerStart.utf8) }

  static func line(_ header: ExportHeader) -> [UInt8] {
    var text = "\(headerStart)\(format)"
    func add(_ name: String, _ value: String?) {
      if let value { text += ",\"\(name)\":\(value)" }
    }
    func quoted(_ value: String) -> String { ManifestFormat.quoted(Array(value.utf8)) }
    add("written_by", header.writer.map(quoted))
    add("store", quoted(header.store))
    add("created_at", quoted("\(header.createdAt)"))
    add("head_position", header.headPosition.map { "\($0)" })
    switch header.selection {
    case .all: break
    case .category(let category): add("category", quoted(category))
    case .aggregates(let ids): add("aggregates", "[\(ids.map(quoted).joined(separator: ","))]")
    }
    add("since", header.since.map { quoted("\($0)") })
    add("until", header.until.map { quoted("\($0)") })
    add("before", header.before.map { quoted("\($0)") })
    add("after_position", header.previous?.lastPosition.map { "\($0)" })
    add("after_root", header.previous.map { quoted($0.root) })
    return Array("\(text)}\n".utf8)
  }

  static func line(_ end: ExportEnd) -> [UInt8] {
    let position = end.lastPosition.map { ",\"last_position\":\($0)" } ?? ""
    let more = end.hasNext ? ",\"continues\":true" : ""
    return Array("\(footerStart)\(end.events)\(position),\"root\":\"\(end.root)\"\(more)}\n".utf8)
  }

  /// Reads the first line; nil if it is not one.
  static func header(_ line: Span<UInt8>) throws(JSONError) -> ExportHeader? {
    let members = try ManifestFormat.members(of: line)
    guard let format = integer(members["annals_export"]) else { return nil }
    var header = ExportHeader(
      format: Int(clamping: format),
      store: text(members["store"]) ?? "",
      createdAt: time(members["created_at"]) ?? .negativeInfinity
    )
    header.writer = text(members["written_by"])
    header.headPosition = integer(members["head_position"])
    if let category = text(members["category"]) { header.selection = .category(category) }
    if let ids = members["aggregates"] { header.selection = .aggregates(try texts(of: ids)) }
    header.since = time(members["since"])
    header.until = time(members["until"])
    header.before = time(members["before"])
    header.previous = text(members["after_root"]).map { root in
      ExportEnd(events: 0, lastPosition: integer(members["after_position"]), root: root)
    }
    return header
  }

  /// Reads the last line; nil if it is not one.
  static func end(_ line: Span<UInt8>) throws(JSONError) -> ExportEnd? {
    let members = try ManifestFormat.members(of: line)
    guard let events = integer(members["events"]), let root = text(members["root"]) else { return nil }
    var end = ExportEnd(events: events, lastPosition: integer(members["last_position"]), root: root)
    end.hasNext = text(members["continues"]) == "true"
    return end
  }

  private static func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  private static func integer(_ bytes: [UInt8]?) -> Int64? { text(bytes).flatMap { Int64($0) } }
  private static func time(_ bytes: [UInt8]?) -> Timestamp? { bytes.flatMap { try? Timestamp(iso8601: $0) } }

  private static func texts(of array: [UInt8]) throws(JSONError) -> [String] {
    var texts: [String] = []
    var scanner = JSONScanner()
    let bytes = array.span
    var index = 1
    repeat {
      let value = try scanner.scanValue(in: bytes, from: JSONScanner.skipWhitespace(in: bytes, from: index))
      texts.append(String(decoding: JSONScanner.decodeString(value, in: bytes), as: UTF8.self))
      index = try JSONScanner.scanSeparator(in: bytes, from: value.upperBound, closing: UInt8(ascii: "]"))
    } while bytes[index - 1] == UInt8(ascii: ",")
    return texts
  }
}

/// The contents of the first line of an export.
struct ExportHeader: Sendable, Hashable {
  let format: Int
  /// The program that wrote it, with its version.
  var writer: String?
  /// The table, or the layout, that was read.
  let store: String
  let createdAt: Timestamp
  /// The position up to which history was final when it was read; nil without positions.
  var headPosition: Int64?
  var selection = AggregateSelection.all
  var since: Timestamp?
  var until: Timestamp?
  var before: Timestamp?
  /// The end of the previous file, which this one continues.
  var previous: ExportEnd?

  init(format: Int = ExportFormat.format, store: String, createdAt: Timestamp) {
    (self.format, self.store, self.createdAt) = (format, store, createdAt)
  }
}

/// The contents of the last line of an export.
struct ExportEnd: Sendable, Hashable {
  let events: Int64
  /// The position of the last event, here or in the files before; nil without any.
  let lastPosition: Int64?
  /// 64 hexadecimal digits.
  let root: String
  /// Whether the export continues in another file.
  var hasNext = false

  init(events: Int64, lastPosition: Int64?, root: String) {
    (self.events, self.lastPosition, self.root) = (events, lastPosition, root)
  }
}
