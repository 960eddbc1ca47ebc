internal import LibPQ

/// A field of the payload or the metadata of events, by its path, such as `.customer.email` or `.items[*].note`.
///
/// The path means the same as in a ``FieldCondition``: an array on the way means its elements.
public struct RedactedField: Sendable, Hashable {
  /// Where in an event the field is.
  public enum Part: String, Sendable, Hashable {
    /// In the payload.
    case payload
    /// In the metadata.
    case metadata
  }

  /// The path, as it was written.
  public let path: String
  /// Where the path begins.
  public let part: Part
  let steps: [FieldStep]

  /// - Parameters:
  ///   - path: the path; `.` is the whole payload or the whole metadata.
  ///   - part: where it begins.
  /// - Throws: ``EventStoreError`` with code `invalidInput`, which names the place.
  public init(_ path: String, in part: Part = .payload) throws {
    (self.path, self.part) = (path, part)
    steps = try FieldStep.path(path)
  }

  /// For people and the audit.
  package var description: String { part == .payload ? path : "metadata \(path)" }
}

/// A secret by which equal values get equal replacements, which nobody without it can compute.
///
/// Its text never shows the secret.
public struct RedactionKey: Sendable, CustomStringConvertible, CustomReflectable {
  /// The two paddings of the key (RFC 2104, section 2), so that the server needs no function for HMAC.
  let innerPad: [UInt8]
  let outerPad: [UInt8]

  /// The fewest bytes of a key.
  public static let fewestBytes = 16

  /// - Throws: ``EventStoreError`` with code `invalidInput` for a key that is too short to be a secret.
  public init(_ bytes: [UInt8]) throws {
    guard bytes.count >= Self.fewestBytes else {
      throw EventStoreError(
        .invalidInput,
        "the key has \(bytes.count) bytes, fewer than \(Self.fewestBytes)",
        hint: "Make one with 'openssl rand -hex 32'."
      )
    }
    let block = 64
    var key = bytes
    if key.count > block {
      var hash = SHA256()
      hash.update(bytes.span)
      let digest = hash.finish()
      key = digest.words.indices.flatMap { index in
        stride(from: UInt32(24), through: 0, by: -8).map {
          UInt8(truncatingIfNeeded: digest.words[index] >> $0)
        }
      }
    }
    key += [UInt8](repeating: 0, count: block - key.count)
    innerPad = key.map { $0 ^ 0x36 }
    outerPad = key.map { $0 ^ 0x5c }
  }

  public var description: String { "a key" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Which values are taken out of which events.
public struct Redaction: Sendable {
  /// What takes the place of a value.
  public enum Replacement: Sendable {
    /// This JSON.
    case json(String)
    /// The JSON string `hmac-sha256:` and the HMAC-SHA-256 of the value, so that equal values can still be recognized.
    case hash(RedactionKey)

    /// The JSON string `[redacted]`: a mark that is no value of an application.
    public static let mark = Replacement.json("\"[redacted]\"")
  }

  /// What happens to an event.
  public enum Change: Sendable {
    /// The values of these fields are replaced.
    case fields([RedactedField], by: Replacement = .mark)
    /// The payload and the metadata become what the upcasters make of them.
    case upcasters(Upcasters)
  }

  /// Which events; their order and number do not matter.
  public var query = EventQuery()
  /// Only events of these streams; all when empty.
  public var streams: [String] = []
  /// What happens to them.
  public let change: Change

  /// - Throws: ``EventStoreError``: `invalidInput` without a field, or for a replacement that is no JSON, or that a second
  ///   run would change again; `invalidDefinition` for upcasters that do more than change the payload and the metadata.
  public init(_ change: Change) throws {
    self.change = change
    switch change {
    case .fields(let fields, let replacement): try Self.check(fields, replacement)
    case .upcasters(let upcasters): try Self.check(upcasters)
    }
  }

  private static func check(_ fields: [RedactedField], _ replacement: Replacement) throws {
    guard !fields.isEmpty else { throw EventStoreError(.invalidInput, "no field to redact is named") }
    guard case .json(let json) = replacement else { return }
    let bytes = Array(json.utf8)
    var scanner = JSONScanner()
    let start = JSONScanner.skipWhitespace(in: bytes.span, from: 0)
    guard let value = try? scanner.scanValue(in: bytes.span, from: start),
      bytes[value.upperBound...].allSatisfy(JSONScanner.isWhitespace)
    else {
      throw EventStoreError(
        .invalidInput,
        "the replacement \(json) is not JSON",
        hint: "Put a text in double quotes, as in '\"unknown\"'."
      )
    }
    guard bytes[value.lowerBound] == UInt8(ascii: "[") else { return }
    // A value that is no array is its own only element, and the next run would find one in the replacement.
    for field in fields {
      switch field.steps.last {
      case .member, nil: continue
      case .element, .everyElement:
        throw EventStoreError(
          .invalidInput,
          "an element, as in \(field.path), cannot be replaced by an array"
        )
      }
    }
  }

  private static func check(_ upcasters: Upcasters) throws {
    guard !upcasters.isEmpty else { throw EventStoreError(.invalidInput, "no upcaster is named") }
    for (rule, place) in zip(upcasters.rules, upcasters.places)
    where rule.isDropped || rule.parts != nil || rule.newType != nil {
      throw EventStoreError(
        .invalidDefinition,
        "\(place): a redaction changes only the payload and the metadata of an event",
        hint: "Omit @drop, @split and @rename, or make a copy of the store with \(.applyEvolution)."
      )
    }
  }

  /// The query with the streams.
  var wholeQuery: EventQuery {
    var query = query
    query.aggregateIDs = streams
    return query
  }

  /// For the audit: paths and files, and never a value or a condition, which may hold one.
  var auditDetail: SQL {
    switch change {
    case .fields(let fields, let replacement):
      let kind = if case .hash = replacement { "hash" } else { "json" }
      return "'paths', \(Parameter.textArray(fields.map(\.description))), 'replaced_by', \(kind)"
    case .upcasters(let upcasters): return "'upcasters', \(Parameter.textArray(upcasters.paths))"
    }
  }
}

/// Something besides the events that still holds values from before a redaction.
public struct ValueHolder: Sendable, Hashable {
  /// What it is.
  public enum Kind: String, Sendable, Hashable {
    /// A table that a copy of the store was made into, or that has the events from before it.
    case copy
    /// A build of a read model that is not live.
    case generation
    /// The live tables of a projection.
    case readModel = "read_model"
    /// The table with archived events.
    case archive
  }

  /// What it is.
  public let kind: Kind
  /// The name of the table or the projection.
  public let name: String
  /// The number of the build; nil for a table.
  public let generation: Int?
}

/// What a redaction would change.
public struct RedactionPlan: Sendable, Hashable {
  /// A type with events that would change.
  public struct TypeCount: Sendable, Hashable {
    /// The event type.
    public let type: String
    /// How many events of it would change.
    public let events: Int64
  }

  /// A path, and where it leads to values.
  public struct FieldCount: Sendable, Hashable {
    /// The field.
    public let field: RedactedField
    /// In how many events it has a value that would change.
    public let events: Int64
  }

  /// An event that would change.
  public struct Example: Sendable, Hashable {
    /// Its id.
    public let id: EventID
    /// Its stream.
    public let aggregateID: String
    /// Its version.
    public let version: Int
    /// Its type.
    public let type: String
  }

  /// The types with events that would change.
  public internal(set) var types: [TypeCount] = []
  /// The fields of the redaction; empty for upcasters.
  public internal(set) var fields: [FieldCount] = []
  /// Some of the events.
  public internal(set) var examples: [Example] = []
  /// Snapshots that would be deleted.
  public internal(set) var snapshots: Int64 = 0
  /// Dead letters, parked events and projections whose error messages would be deleted.
  public internal(set) var messages: Int64 = 0
  /// What would still hold the values.
  public internal(set) var holders: [ValueHolder] = []

  /// How many events would change.
  public var events: Int64 { types.reduce(0) { $0 + $1.events } }
}

/// How a redaction is done.
public struct RedactionOptions: Sendable {
  /// Events in a transaction.
  public var chunkSize = 5_000
  /// Also drop the copies and the builds of read models that are not live, if they still hold values.
  public var dropsKept = false
  /// Vacuum and analyze the tables afterwards.
  public var vacuums = false
  /// Called on the store's thread after every transaction.
  public var onProgress: (@Sendable (EventStore.Progress) -> Void)?

  /// In transactions of 5,000 events.
  public init() {}
}

/// What a redaction did.
public struct RedactionResult: Sendable, Hashable {
  /// Events that were changed.
  public internal(set) var events: Int64 = 0
  /// Snapshots that were deleted.
  public internal(set) var snapshots: Int64 = 0
  /// Error messages of dead letters, parked events and projections that were deleted.
  public internal(set) var messages: Int64 = 0
  /// What was dropped.
  public internal(set) var dropped: [ValueHolder] = []
  /// What still holds values.
  public internal(set) var holders: [ValueHolder] = []
}
