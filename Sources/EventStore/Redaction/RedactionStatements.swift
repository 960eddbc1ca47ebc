internal import LibPQ

/// The SQL of a redaction: which events it changes, and into what.
struct RedactionStatements {
  let table: EventsTable
  private let redaction: Redaction
  private let query: EventQuery
  /// Reads each event `e`, `n` with its payload and metadata afterwards, and for upcasters `m` with what they make of that.
  private let source: SQL
  /// Whether the event changes.
  private let isChanged: SQL

  /// - Parameter table: as it is stored.
  init(_ redaction: Redaction, in table: EventsTable) throws {
    (self.table, self.redaction, query) = (table, redaction, redaction.wholeQuery)
    let outcome: SQL
    switch redaction.change {
    case .fields(let fields, let replacement):
      guard table.hasMetadata || fields.allSatisfy({ $0.part == .payload }) else {
        throw Self.noMetadata(table)
      }
      func replaced(_ part: RedactedField.Part, in value: String) -> SQL {
        let ofPart = fields.filter { $0.part == part }
        if ofPart.count == 1, let member = Self.replacedMember(ofPart[0].steps, in: value, by: replacement) {
          return member
        }
        return ofPart.reduce(SQL(raw: value)) { Self.replaced($1.steps, in: $0, by: replacement) }
      }
      let data = replaced(.payload, in: "e.event_data")
      let metadata = replaced(.metadata, in: table.metadata)
      // OFFSET 0 keeps the planner from computing it in each place that uses it.
      outcome = "CROSS JOIN LATERAL (SELECT \(data) AS event_data, \(metadata) AS metadata OFFSET 0) AS n"
    case .upcasters(let upcasters):
      guard table.hasMetadata || upcasters.rules.allSatisfy({ $0.metadata == nil }) else {
        throw Self.noMetadata(table)
      }
      func upcast(_ row: String, as name: String) -> String {
        let source = UpcastSource(upcasters.rules, of: table.reading(row: row)).sql
        return """
          CROSS JOIN LATERAL (SELECT u.event_data, u.metadata FROM \(source) AS u OFFSET 0) AS \(name)
          """
      }
      let again =
        "(SELECT e.id, e.aggregate_id, e.event_type, n.event_data, e.version, e.\"timestamp\""
        + (table.hasMetadata ? ", n.metadata" : "") + (table.hasPosition ? ", e.position)" : ")")
      outcome = "\(raw: upcast("(SELECT e.*)", as: "n")) \(raw: upcast(again, as: "m"))"
    }
    source = "(\(raw: table.name.sql) AS e \(outcome))"
    isChanged = Self.differs("n", from: "e", table)
  }

  private static func differs(_ one: String, from other: String, _ table: EventsTable) -> SQL {
    let metadata =
      table.hasMetadata ? " OR \(one).metadata IS DISTINCT FROM \(other).metadata" : ""
    return "(\(raw: one).event_data IS DISTINCT FROM \(raw: other).event_data\(raw: metadata))"
  }

  private static func noMetadata(_ table: EventsTable) -> EventStoreError {
    EventStoreError(.invalidDefinition, "\(table.name) has no column metadata to redact")
  }

  /// The same for a member that only objects lead to, where an event has these, in a third of the time; nil for other
  /// paths and replacements. It names the value several times, so it is for one field.
  private static func replacedMember(
    _ steps: [FieldStep],
    in value: String,
    by replacement: Redaction.Replacement
  ) -> SQL? {
    guard case .json(let json) = replacement else { return nil }
    var names: [String] = []
    for step in steps {
      guard case .member(let name) = step else { return nil }
      names.append(name)
    }
    if names.isEmpty { return nil }
    let objects = names.indices.map { place -> SQL in
      "jsonb_typeof(\(raw: value) #> \(Parameter.textArray(Array(names[..<place])))) = 'object'"
    }
    let new = Parameter.jsonb(Array(json.utf8))
    return """
      CASE WHEN \(objects.conjunction) THEN jsonb_set(\(raw: value), \(Parameter.textArray(names)), \(new), false)
           ELSE \(replaced(steps, in: SQL(raw: value), by: replacement)) END
      """
  }

  private static func replaced(
    _ steps: [FieldStep],
    in value: SQL,
    by replacement: Redaction.Replacement
  ) -> SQL {
    let names = Parameter.textArray(
      steps.map { step in
        switch step {
        case .member(let name): "." + name
        case .element(let number): "[\(number)]"
        case .everyElement: "[*]"
        }
      }
    )
    switch replacement {
    case .json(let json):
      return "annals.replace_values(\(value), \(names), \(Parameter.jsonb(Array(json.utf8))), NULL, NULL)"
    case .hash(let key):
      return """
        annals.replace_values(\(value), \(names), NULL, \(Parameter.bytea(key.innerPad)), \(Parameter.bytea(key.outerPad)))
        """
    }
  }

  /// Whether a field of an event `e` is there: the server finds this out in a tenth of the time of a replacement.
  private func isThere(_ field: RedactedField) -> SQL {
    "\(raw: field.part == .payload ? "e.event_data" : table.metadata) @? \(FieldStep.jsonPath(field.steps))::jsonpath"
  }

  /// The conditions on the events that would change.
  private var hits: SQL {
    var conditions = query.allConditions(in: table)
    switch redaction.change {
    case .fields(let fields, _):
      conditions.append("(\(fields.map(isThere).joined(separator: " OR ")))")
    case .upcasters(let upcasters):
      if let types = upcasters.types {
        conditions.append("e.event_type = ANY (\(Parameter.textArray(types.map(\.string))))")
      }
    }
    return (conditions + [isChanged]).conjunction
  }

  private var isUpcasting: Bool { if case .upcasters = redaction.change { true } else { false } }

  /// Whether upcasters change their own outcome, so that a second run would change the event again.
  private var changesAgain: SQL { isUpcasting ? Self.differs("m", from: "n", table) : "false" }

  private var changesMetadata: Bool {
    switch redaction.change {
    case .fields(let fields, _): fields.contains { $0.part == .metadata }
    case .upcasters(let upcasters): upcasters.rules.contains { $0.metadata != nil }
    }
  }
}

// MARK: - What would change

extension RedactionStatements {
  /// The events that would change, by type; and how many could not be changed.
  var counts: SQL {
    """
    SELECT e.event_type::text AS event_type, count(*) AS events
    FROM \(source) WHERE \(hits) GROUP BY 1 ORDER BY count(*) DESC, 1
    """
  }

  /// How many events of a type would change in each of the fields, one column each.
  func count(of field: RedactedField) throws -> SQL {
    guard case .fields(_, let replacement) = redaction.change else { preconditionFailure("no fields") }
    var alone = try Redaction(.fields([field], by: replacement))
    (alone.query, alone.streams) = (redaction.query, redaction.streams)
    let statements = try RedactionStatements(alone, in: table)
    return "SELECT count(*) FROM \(statements.source) WHERE \(statements.hits)"
  }

  func examples(_ most: Int) -> SQL {
    """
    SELECT e.id, e.aggregate_id::text AS aggregate_id, e.version, e.event_type::text AS event_type
    FROM \(source) WHERE \(hits) ORDER BY \(raw: order) LIMIT \(raw: "\(most)")
    """
  }

  /// The streams of the events that would change, and the first of these events in each.
  var streams: SQL {
    "SELECT e.aggregate_id::text AS aggregate_id, min(e.version) AS version FROM \(source) WHERE \(hits) GROUP BY 1"
  }

  /// The places of the events that would change.
  var places: SQL { "SELECT e.aggregate_id::text AS aggregate_id, e.version FROM \(source) WHERE \(hits)" }

  /// An event that upcasters would leave without a payload, or change once more in a second run.
  var fault: SQL? {
    guard isUpcasting else { return nil }
    return """
      SELECT e.aggregate_id::text AS aggregate_id, e.version, n.event_data IS NULL AS is_empty
      FROM \(source) WHERE \(hits) AND (n.event_data IS NULL OR \(changesAgain)) LIMIT 1
      """
  }
}

// MARK: - A chunk

extension RedactionStatements {
  /// Where a chunk begins: at an event that may have been redacted already.
  struct Place {
    let aggregateID: String
    let version: Int32
    let position: Int64?
  }

  /// A few streams are read one after the other; by position the server might read the whole store for them.
  private var goesByPosition: Bool {
    table.hasPosition && query.aggregateID == nil && query.aggregateIDs.isEmpty
  }

  private var order: String { goesByPosition ? "e.position" : "e.aggregate_id, e.version" }

  /// The next events to change. What is done is no hit any more, so the bound includes its event: positions might repeat.
  func nextPlaces(from place: Place?, most: Int) -> SQL {
    let bound: SQL =
      if let place {
        goesByPosition
          ? "e.position >= \(place.position)"
          : "(e.aggregate_id, e.version) >= (\(place.aggregateID), \(place.version))"
      } else {
        "true"
      }
    return """
      SELECT e.aggregate_id::text AS aggregate_id, e.version, \(raw: table.position) AS position
      FROM \(source) WHERE \(bound) AND \(hits) ORDER BY \(raw: order) LIMIT \(raw: "\(most)")
      """
  }

  /// Changes these events, and records it.
  func change(_ places: [Place], audit: Int64) -> SQL {
    let metadata = changesMetadata ? ", metadata = p.metadata" : ""
    return SQLTemplate.redactEvents.statement([
      "names": "\(Parameter.textArray(places.map(\.aggregateID)))",
      "versions": "\(Parameter.int4Array(places.map(\.version)))",
      "from": source, "events": "\(raw: table.name.sql)", "timestamp": "\(raw: table.time)",
      "metadata": "\(raw: table.metadata)", "audit": "\(audit)", "store": "\(table.name.description)",
      "changes": "event_data = p.event_data\(raw: metadata)",
    ])
  }
}
