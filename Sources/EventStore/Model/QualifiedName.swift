internal import LibPQ

/// A table's name with its schema, both as PostgreSQL stores them (without quotes and folding).
public struct QualifiedName: Sendable, Hashable, CustomStringConvertible {
  /// The schema.
  public var schema: String
  /// The name in the schema.
  public var name: String

  /// The default table of events.
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
    var scalars = Substring(text).unicodeScalars
    repeat {
      guard let part = QualifiedName.takePart(&scalars), (1...63).contains(part.utf8.count) else {
        return nil
      }
      parts.append(part)
    } while scalars.popFirst() == "." && parts.count < 3
    guard scalars.isEmpty, let name = parts.last, parts.count <= 2 else { return nil }
    self.init(schema: parts.count == 2 ? parts[0] : "public", name: name)
  }

  private static func takePart(_ scalars: inout Substring.UnicodeScalarView) -> String? {
    guard scalars.first == "\"" else {
      let part = scalars.prefix { $0 != "." }
      scalars = scalars[part.endIndex...]
      return part.contains { $0 == "\"" || $0 == "\0" } ? nil : String(part)
    }
    var part = String.UnicodeScalarView()
    scalars.removeFirst()
    while let scalar = scalars.popFirst() {
      if scalar == "\0" { return nil }
      if scalar != "\"" {
        part.append(scalar)
      } else if scalars.first == "\"" {
        part.append(scalars.removeFirst())
      } else {
        return scalars.isEmpty || scalars.first == "." ? String(part) : nil
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

  /// The name for people: quoted only if necessary.
  public var description: String {
    [schema, name].map { isPlainIdentifier($0) ? $0 : quoteIdentifier($0) }.joined(separator: ".")
  }
}
