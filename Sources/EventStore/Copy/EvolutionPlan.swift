internal import FoundationEssentials
internal import LibPQ

/// A change of event shape that was tried on all of history, as a file that can be reviewed, kept and applied.
public struct EvolutionPlan: Sendable, Codable, Hashable {
  /// An upcaster file, complete: applying a plan needs no other file.
  public struct Upcaster: Sendable, Codable, Hashable {
    /// The name of the file.
    public let path: String
    /// The contents of the file.
    public let text: String
    /// The hash of the text, in hexadecimal.
    public let sha256: String
  }

  /// What happens to the events of a type.
  public struct TypeChange: Sendable, Codable, Hashable {
    /// The event type, as it is stored.
    public let type: String
    /// How many events of it there are.
    public let events: Int64
    /// How many of them the upcasters change.
    public let changed: Int64
    /// The types that they have afterwards, in the order of bytes; empty when all of them are dropped.
    public let becomes: [Outcome]

    /// Whether all events keep their type.
    package var isOfSameType: Bool {
      becomes.count == 1 && becomes[0].events == events && becomes[0].type.hasSameBytes(as: type)
    }
  }

  /// A type that events have afterwards.
  public struct Outcome: Sendable, Codable, Hashable {
    /// The event type.
    public let type: String
    /// How many events have it.
    public let events: Int64
  }

  /// A path that exists, or has other JSON types, only before or only after; from a sample of the type.
  public struct ShapeChange: Sendable, Codable, Hashable {
    /// The event type, as it is stored.
    public let type: String
    /// The place in the payload, as jq writes it.
    public let path: String
    /// The JSON types of its values as they are stored; nil if the path is not there.
    public let before: String?
    /// The JSON types of its values after the upcasters; nil if the path is no longer there.
    public let after: String?
    /// In how many of the events that were compared.
    public let events: Int64
    /// How many events were compared.
    public let compared: Int64
  }

  /// An event as it is stored, and after the upcasters.
  public struct Example: Sendable, Codable, Hashable {
    /// The aggregate of the event.
    public let aggregateID: String
    /// Its version.
    public let version: Int
    /// Its type, as it is stored.
    public let type: String
    /// Its type after the upcasters.
    public let newType: String
    /// The payload as it is stored.
    public let before: String
    /// The payload after the upcasters.
    public let after: String
  }

  /// The format of the file.
  public let annalsPlan: Int
  /// The table of events, as schema.name.
  public let store: String
  /// The last event that was tried.
  public let position: Int64
  /// The files that the plan applies, in their order.
  public let upcasters: [Upcaster]
  /// The types with events that change.
  public let types: [TypeChange]
  /// What changes in the shapes of the payloads.
  public let shapes: [ShapeChange]
  /// Some events, before and after.
  public let examples: [Example]
  /// Whether `@drop` or `@split` changes the versions of later events.
  public let renumbersVersions: Bool
  /// Whether `@split` changes the positions of later events.
  public let renumbersPositions: Bool
  /// Live projections that handle a changed type, and must be rebuilt.
  public let projections: [String]
  /// Reducers with snapshots, which must be taken again.
  public let reducers: [String]
  /// About how long the copy takes.
  public let estimatedSeconds: Double

  static let format = 2
}

extension EvolutionPlan {
  /// Reads a plan file.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` when it is not a plan, or was changed by hand.
  public init(path: String, bytes: [UInt8]) throws {
    do {
      let format = try JSONDecoder().decode(Format.self, from: Data(bytes))
      try format.check(of: path)
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    } catch let error as EventStoreError {
      throw error
    } catch {
      throw EventStoreError(
        .invalidDefinition,
        "\(path) is not a plan",
        detail: String(describing: error),
        hint: "Make one with \(.planEvolution(path: path))."
      )
    }
    for upcaster in upcasters where Self.sha256(upcaster.text) != upcaster.sha256 {
      throw EventStoreError(
        .invalidDefinition,
        "upcaster \(upcaster.path) in \(path) was changed after the plan was made",
        hint: "Change the file itself, and make the plan again."
      )
    }
  }

  /// The part of a plan that is read first, because the rest depends on the format.
  private struct Format: Decodable {
    let annalsPlan: Int

    func check(of path: String) throws {
      guard annalsPlan != EvolutionPlan.format else { return }
      throw EventStoreError(
        .invalidDefinition,
        "\(path) was made by another version of annals",
        hint: "Make the plan again."
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

  /// What identifies the copy of a plan: the store and the rules, whatever else the plan says.
  var identity: String { Self.sha256(([store] + upcasters.map(\.text)).joined(separator: "\0")) }

  static func sha256(_ text: String) -> String {
    var hash = SHA256()
    let bytes = Array(text.utf8)
    hash.update(bytes.span)
    return hash.finish().description
  }
}
