internal import FoundationEssentials
internal import LibPQ

/// Upcasters that apply when events are read: stored events do not change, readers see them in today's shape.
///
/// They run in the server, as part of the query that reads, in the order of the files and of the rules in a file; each
/// gets the outcome of the one before it. They need only SELECT on the events, also on a hot standby.
public struct Upcasters: Sendable {
  let files: [UpcasterFile]

  /// No upcasters: events as they are stored.
  public static let none = Upcasters(files: [])

  init(files: [UpcasterFile]) {
    self.files = files
  }

  /// Reads upcaster files.
  ///
  /// - Parameter files: names, for messages, and contents, in the order in which they apply.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition`, and the line and column in its message.
  public init(_ files: [(path: String, bytes: [UInt8])]) throws {
    var read: [UpcasterFile] = []
    for file in files {
      do {
        read.append(try UpcasterFile(path: file.path, bytes: file.bytes))
      } catch {
        throw EventStoreError(error)
      }
    }
    self.init(files: read)
  }

  /// Whether there is no rule.
  public var isEmpty: Bool { files.isEmpty }

  var rules: [UpcasterFile.Rule] { files.flatMap(\.rules) }
  /// The files, by their given names.
  var paths: [String] { files.map(\.path) }
  /// The place of each of ``rules``, as `file:line`.
  var places: [String] {
    files.flatMap { file in file.rules.map { "\(file.path):\($0.location.line)" } }
  }
  var splits: Bool { rules.contains { $0.parts != nil } }
  var drops: Bool { rules.contains(where: \.isDropped) }

  /// Distinguishes these from other upcasters, or another layout.
  fileprivate func digest(with layout: Layout?) -> String {
    var hash = SHA256()
    if let layout { hash.update(layout.identity.span) }
    for file in files { hash.update(file.bytes.span) }
    return hash.finish().description
  }

  /// The digest that people see; nil for none.
  var digest: String? { isEmpty ? nil : String(digest(with: nil).unicodeScalars.prefix(12)) }

  /// The types that a rule names; nil when a rule is for every type.
  var types: [ByteString]? {
    if rules.contains(where: \.isForEveryType) { return nil }
    return Array(Set(rules.flatMap(\.types))).sorted()
  }
}

extension StoreConnection {
  /// The text that identifies a projection or a reducer: its own, and a comment for the upcasters of its events.
  /// Results that were derived through other upcasters cannot be continued, as with another file.
  func identity(_ definition: [UInt8]) -> [UInt8] {
    if upcasters.isEmpty, foreign == nil { return definition }
    return definition + Array("\(Self.upcasterComment)\(upcasters.digest(with: foreign)).\n".utf8)
  }

  /// A projection with the identity that it has in this store; see ``identity(_:)``.
  func definition(of projection: Projection) throws(SQLFileError) -> Projection {
    try Projection(checking: projection.path, identity(projection.bytes))
  }

  /// The stored definition of a live read model, if its events go through the upcasters in use.
  func sameIdentity(_ live: Generation) throws -> [UInt8] {
    let comment = identity([])
    let definition = Array(live.definition.utf8)
    let isSame =
      comment.isEmpty ? !live.definition.contains(Self.upcasterComment) : definition.ends(with: comment)
    guard isSame else { throw builtOtherwise(live) }
    return definition
  }

  private func builtOtherwise(_ live: Generation) -> EventStoreError {
    let hasSameNames = live.upcasters?.map { ByteString($0) } == upcasters.paths.map { ByteString($0) }
    return EventStoreError(
      .invalidDefinition,
      "the live read model of projection \(live.projection) was built \(live.reading)",
      detail: !hasSameNames
        ? "Now its events would be read \(Generation.reading(upcasters.paths))."
        : upcasters.isEmpty
          ? "Its events were read through another layout."
          : "These files, or the layout, have changed since.",
      hint: live.upcasters == []
        ? "Omit \(.upcasters), or use \(.rawEvents), and the same \(.layout)."
        : "Use the same upcasters with \(.upcasters), and the same \(.layout); see \(.manual(.upcasterFiles))."
    )
  }

  /// The upcasters of a generation, by its record of them; nil if there is no record and its definition has some.
  static func upcasters(_ recorded: String?, of definition: String) -> [String]? {
    guard let recorded else { return definition.utf8.contains(upcasterComment.utf8) ? nil : [] }
    return try? JSONDecoder().decode([String].self, from: Data(recorded.utf8))
  }

  /// The definition from which ``identity(_:)`` was made.
  static func withoutUpcasterComment(_ definition: String) -> String {
    // A digest, a full stop and the end of the line.
    let file = definition.utf8.dropLast(upcasterComment.utf8.count + 64 + 2)
    let comment = definition.utf8[file.endIndex...]
    return comment.starts(with: upcasterComment.utf8) ? String(decoding: file, as: UTF8.self) : definition
  }

  private static let upcasterComment = "\n-- Its events go through upcasters "
}

extension EventsTable {
  /// The table as upcasters show it.
  func upcast(by upcasters: Upcasters, _ connection: Connection) throws -> EventsTable {
    for file in upcasters.files {
      guard let rule = file.rules.first(where: { $0.parts != nil }) else { continue }
      throw EventStoreError(
        .invalidDefinition,
        "\(file.path):\(rule.location.line): a @split cannot be applied when events are read",
        detail: "It splits an event into several, which cannot share its version and position.",
        hint: "Make a copy of the store with \(.applyEvolution), or read with \(.rawEvents)."
      )
    }
    try upcasters.check(for: self, connection)
    var upcast = self
    upcast.source = source(through: upcasters)
    return upcast
  }

  /// The outcome of upcasters on ``readable``.
  func source(through upcasters: Upcasters) -> String {
    let keys = keyColumns.map { (name: $0, value: $0) }
    return UpcastSource(upcasters.rules, of: self, passing: keys).sql
  }
}

extension StoreConnection {
  /// The error that names the rule which removed the payload of the first event without one in a page; nil if the table
  /// itself has no payload there.
  func ruleWithoutPayload(in page: borrowing QueryResult) throws -> EventStoreError? {
    typealias Column = EventsTable.Column
    let rows = 0..<page.rowCount
    guard
      let row = rows.first(where: { page.isNull($0, Column.data) && !page.isNull($0, Column.aggregateID) })
    else { return nil }
    let events = try eventsTable()
    let aggregateID = page.string(row, Column.aggregateID)
    let version = page.optionalInt32(row, Column.version)
    let position = page.optionalInt64(row, Column.position)
    let subject = "\(aggregateID) version \(version ?? 0)" + (position.map { ", position \($0)" } ?? "")
    let rules = upcasters.rules
    for (index, rule) in rules.enumerated() where rule.data != nil {
      let source = UpcastSource(Array(rules[...index]), of: events).sql
      let sql: SQL = """
        SELECT FROM \(raw: source) AS e
        WHERE e.aggregate_id = \(aggregateID) AND e.version = \(version) AND e.event_data IS NULL
          AND EXISTS (SELECT FROM \(raw: relation) AS s
                      WHERE s.aggregate_id = \(aggregateID) AND s.version = \(version) AND s.event_data IS NOT NULL)
        """
      guard try !connection.query(sql).isEmpty else { continue }
      return EventStoreError(
        .invalidDefinition,
        "\(upcasters.places[index]): the rule yields NULL as the payload of \(subject)",
        detail: "Every event has a payload.",
        hint:
          "Use coalesce() for members that may be missing, or exclude such events with @when; see \(.manual(.upcasterFiles))."
      )
    }
    return nil
  }
}

extension [UInt8] {
  fileprivate func ends(with bytes: [UInt8]) -> Bool { reversed().starts(with: bytes.reversed()) }
}
