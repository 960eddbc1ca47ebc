internal import LibPQ

/// A table's name with its schema, both as PostgreSQL stores them (without quotes and folding).
public struct QualifiedName: Sendable, Hashable, CustomStringConvertible {
  /// The schema.
  public var schema: String
  /// The name in the schema.
  public var name: String

  /// Where `annals init` puts the events unless told otherwise.
  public static let events = QualifiedName(schema: "public", name: "events")

  /// A name whose parts are taken as they are.
  public init(schema: String, name: String) {
    self.schema = schema
    self.name = name
  }

  /// Reads `name`, `schema.name` or either part in double quotes, as SQL does, but without folding to lower case;
  /// a name alone is in `public`.
  ///
  /// - Returns: nil when the text is not such a name, or a part is longer than PostgreSQL's 63 bytes.
  public init?(_ text: String) {
    var parts: [String] = []
    var rest = Substring(text)
    repeat {
      guard let part = QualifiedName.takePart(&rest), (1...63).contains(part.utf8.count) else { return nil }
      parts.append(part)
    } while rest.popFirst() == "." && parts.count < 3
    guard rest.isEmpty, let name = parts.last, parts.count <= 2 else { return nil }
    self.init(schema: parts.count == 2 ? parts[0] : "public", name: name)
  }

  private static func takePart(_ rest: inout Substring) -> String? {
    guard rest.first == "\"" else {
      let part = rest.prefix { $0 != "." }
      rest = rest.dropFirst(part.count)
      return part.contains("\"") || part.contains("\0") ? nil : String(part)
    }
    var part = ""
    rest.removeFirst()
    while let character = rest.popFirst() {
      if character == "\0" { return nil }
      if character != "\"" {
        part.append(character)
      } else if rest.first == "\"" {
        part.append(rest.removeFirst())
      } else {
        return rest.isEmpty || rest.first == "." ? part : nil
      }
    }
    return nil
  }

  /// The name as SQL, always quoted.
  package var sql: String { "\(quoteIdentifier(schema)).\(quoteIdentifier(name))" }

  public static func == (left: QualifiedName, right: QualifiedName) -> Bool {
    left.schema.hasSameBytes(as: right.schema) && left.name.hasSameBytes(as: right.name)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(ByteString(schema))
    hasher.combine(ByteString(name))
  }

  /// The name for people: quoted only where it must be.
  public var description: String {
    [schema, name].map { isPlainIdentifier($0) ? $0 : quoteIdentifier($0) }.joined(separator: ".")
  }
}
