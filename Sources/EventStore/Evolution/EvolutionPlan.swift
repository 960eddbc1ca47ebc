internal import FoundationEssentials

/// A change of event shape that was tried on all of history, as a file that can be reviewed, kept and applied.
public struct EvolutionPlan: Sendable, Codable, Hashable {
  /// An upcaster file, whole: applying a plan needs nothing else.
  public struct Upcaster: Sendable, Codable, Hashable {
    public let path: String
    public let text: String
    public let sha256: String
  }

  /// What becomes of the events of a type.
  public struct TypeChange: Sendable, Codable, Hashable {
    public let type: String
    public let events: Int64
    public let changed: Int64
    /// Events by the type that they have afterwards.
    public let becomes: [String: Int64]
  }

  /// A path that is there, or has other JSON types, only before or only after; from a sample of the type.
  public struct ShapeChange: Sendable, Codable, Hashable {
    public let type: String
    public let path: String
    public let before: String?
    public let after: String?
    public let events: Int64
    public let compared: Int64
  }

  /// An event as it is stored, and as the upcasters show it.
  public struct Example: Sendable, Codable, Hashable {
    public let aggregateID: String
    public let version: Int
    public let type: String
    public let newType: String
    public let before: String
    public let after: String
  }

  /// The format of the file.
  public let annalsPlan: Int
  /// The table of events, as schema.name.
  public let store: String
  /// The last event that was tried.
  public let position: Int64
  public let upcasters: [Upcaster]
  public let types: [TypeChange]
  public let shapes: [ShapeChange]
  public let examples: [Example]
  /// Whether `@drop` or `@split` makes other versions of later events.
  public let renumbersVersions: Bool
  /// Whether `@split` makes other positions of later events.
  public let renumbersPositions: Bool
  /// Live projections that handle a changed type, and have to be rebuilt.
  public let projections: [String]
  /// Reducers that have snapshots, which are to be taken anew.
  public let reducers: [String]
  public let estimatedSeconds: Double

  static let format = 1
}

extension EvolutionPlan {
  /// Reads a plan file.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` when it is none, or was changed by hand.
  public init(path: String, bytes: [UInt8]) throws {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    } catch {
      throw EventStoreError(
        .invalidDefinition,
        "\(path) is not a plan",
        detail: String(describing: error),
        hint: "Make one with 'annals evolve plan FILE --out \(path)'."
      )
    }
    guard annalsPlan == Self.format else {
      throw EventStoreError(
        .invalidDefinition,
        "\(path) was made by another version of annals",
        hint: "Make the plan anew."
      )
    }
    for upcaster in upcasters where Self.sha256(upcaster.text) != upcaster.sha256 {
      throw EventStoreError(
        .invalidDefinition,
        "upcaster \(upcaster.path) in \(path) was changed after the plan was made",
        hint: "Change the file itself, and make the plan anew."
      )
    }
  }

  /// The file.
  public var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  /// The upcasters, read again.
  var rules: Upcasters {
    get throws { try Upcasters(upcasters.map { ($0.path, Array($0.text.utf8)) }) }
  }

  /// What a copy belongs to: the store and the rules, whatever else the plan says.
  var identity: String { Self.sha256(([store] + upcasters.map(\.text)).joined(separator: "\0")) }

  static func sha256(_ text: String) -> String {
    var hash = SHA256()
    let bytes = Array(text.utf8)
    hash.update(bytes.span)
    return hash.finish().description
  }
}
