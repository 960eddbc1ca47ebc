internal import LibPQ

/// Why a reader that continues from a position of a store could skip events, whatever it waits for.
///
/// Waiting for writers makes positions final only if their locks are on the events table and each new position is above
/// all old ones. The catalogue tells both of these properties of the table and its sequence.
public struct PositionFault: Sendable, Hashable {
  /// The obstacle.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Citus keeps the events on several servers.
    case distributed
    /// The events are not in a table of this server.
    case notATable = "not_a_table"
    /// Logical replication brings the events.
    case subscription
    /// Nothing in the database assigns the positions.
    case noSequence = "no_sequence"
    /// Several sequences hand them out.
    case severalSequences = "several_sequences"
    /// Sessions get positions in advance.
    case sequenceCache = "sequence_cache"
    /// Later positions are not above earlier ones.
    case sequenceOrder = "sequence_order"
    /// The sequence is not above the existing events.
    case sequenceBehind = "sequence_behind"
  }

  /// The obstacle.
  public let kind: Kind
  /// The fact, in a clause.
  public let message: String
  /// The consequence.
  public let reason: String
  /// What to do about it, as SQL where possible.
  public let remedy: String
}

extension PositionFault {
  /// A row of PositionFaults.sql; nil if it is not a fault.
  fileprivate init?(_ fault: String, _ subject: String, _ detail: String?) {
    switch fault {
    case "view": self = .notATable(subject, kind: detail ?? "")
    case "subscription":
      self.init(
        kind: .subscription,
        message: "\(subject) is the target of a logical replication subscription",
        reason:
          "Its events arrive in the order of commits, not of positions, and the locks of their writers are on "
          + "the publisher.",
        remedy: "Follow and keep checkpoints on the publisher; a read without either works here."
      )
    case "source":
      self.init(
        kind: .noSequence,
        message:
          "column \(detail ?? "position") of \(subject) has neither an identity nor a default of nextval",
        reason:
          "Its writers choose positions themselves, perhaps before they hold a lock that shows it.",
        remedy:
          "ALTER TABLE \(subject) ALTER COLUMN \(quoteIdentifier(detail ?? "position")) "
          + "ADD GENERATED ALWAYS AS IDENTITY (CACHE 1); "
          + "then set its sequence to the highest position."
      )
    case "computed":
      self.init(
        kind: .noSequence,
        message: "position is not a column of \(subject)",
        reason: "The catalog does not show how its writers choose it.",
        remedy:
          "Give a column of the table as position, or tell the layout how positions come with @positions."
      )
    case "sources":
      self.init(
        kind: .severalSequences,
        message: "several sequences hand out its positions: \(subject)",
        reason: "A new position of one need not be above the old positions of another.",
        remedy: "Give the column position of all its tables one sequence."
      )
    case "cache":
      self.init(
        kind: .sequenceCache,
        message: "sequence \(subject) hands out \(detail ?? "several") positions at a time",
        reason: "A session reserves positions, and may use them after other sessions have used higher ones.",
        remedy: "ALTER SEQUENCE \(subject) CACHE 1; then reconnect all writers."
      )
    case "descending", "cycle":
      let isCycle = fault == "cycle"
      self.init(
        kind: .sequenceOrder,
        message: isCycle
          ? "sequence \(subject) starts again at its end" : "sequence \(subject) counts down",
        reason: "New events get positions below old ones, which readers have passed.",
        remedy: "ALTER SEQUENCE \(subject) \(isCycle ? "NO CYCLE" : "INCREMENT 1");"
      )
    default: return nil
    }
  }

  private static func notATable(_ name: String, kind: String) -> PositionFault {
    let (what, reason, remedy) =
      switch kind {
      case "f":
        (
          "foreign table", "The locks of its writers are on another server.",
          "Follow and keep checkpoints where the events are; a read without either works here."
        )
      case "m":
        (
          "materialized view", "A refresh brings events at any position.",
          "Name the table that the events are inserted into; a read without following and without a checkpoint works here."
        )
      default:
        (
          "view", "The locks of its writers are on other tables.",
          "Name the table that the events are inserted into; a read without following and without a checkpoint works here."
        )
      }
    return PositionFault(
      kind: .notATable,
      message: "\(name) is a \(what)",
      reason: reason,
      remedy: remedy
    )
  }

  /// Measured on Citus 13 with two workers: readers that watched the locks of one node missed 7 of 4,878 events that
  /// came through a worker. One insert there lifts the head above all that the coordinator writes later: of 4,364 such
  /// events they missed 2,085.
  static func distributed(_ table: String) -> PositionFault {
    PositionFault(
      kind: .distributed,
      message: "Citus distributes \(table)",
      reason:
        "Each node hands out positions from a sequence of its own, and a server sees the locks of its own writers only.",
      remedy:
        "Read without following and without a checkpoint; streams, states and checks of versions work here."
    )
  }

  /// - Parameter next: whether the next position is the sequence's last value itself.
  static func behind(_ sequence: String, at last: Int64, head: Int64) -> PositionFault {
    PositionFault(
      kind: .sequenceBehind,
      message: "sequence \(sequence) is at \(last), and the highest position is \(head)",
      reason: "New events get positions below old ones, which readers have passed.",
      remedy: "SELECT setval(\(quoteLiteral(sequence)), \(head));"
    )
  }
}

/// What the catalogue says about continuing from a position.
struct PositionFaults {
  /// The faults that would let readers skip events.
  var faults: [PositionFault] = []
  /// Why it is not proved that positions are final, although a layout says so; its writers may have a way that the
  /// catalogue does not show.
  var doubt: PositionFault?
  /// The sequence that assigns the positions, if the role may read it.
  var sequence: String?
}

extension StoreConnection {
  /// The faults that keep readers from continuing from a position; empty if a layout says that waiting for writers does
  /// not make positions final.
  ///
  /// A sequence that the role may not read counts as one above the events.
  func positionFaults() throws -> PositionFaults {
    var found = PositionFaults()
    if positions == .late { return found }
    let tables = foreign?.tables ?? [table]
    let origin = try eventsTable().positionOrigin
    let rows = try connection.query(
      SQLTemplate.positionFaults.sql,
      [
        .textArray(tables.map(\.schema)), .textArray(tables.map(\.name)),
        .int8(foreign == nil ? nil : Int64(origin?.table ?? 0)), .int8(Int64(origin?.number ?? 0)),
      ]
    )
    var tablesBesideCitus: [String] = []
    rows.forEachRow { row in
      let (subject, detail) = (row.string("subject"), row.optionalString("detail"))
      if row.string("fault").hasSameBytes(as: "citus") {
        tablesBesideCitus += [detail].compactMap(\.self)
      } else if let fault = PositionFault(row.string("fault"), subject, detail) {
        if foreign != nil, fault.kind == .noSequence {
          // A reader that waits for holes need not know what assigns the positions.
          if positions == .final { found.doubt = fault }
        } else {
          found.faults.append(fault)
        }
      } else if detail == "true" {
        found.sequence = subject
      }
    }
    if let table = try distributed(among: tablesBesideCitus) {
      found.faults.insert(.distributed(table), at: 0)
    }
    if let sequence = found.sequence, found.faults.isEmpty, let fault = try sequenceBehind(sequence) {
      found.faults.append(fault)
    }
    return found
  }

  /// The first of some tables that Citus distributes, given by their object ids. Without Citus no table is distributed.
  private func distributed(among tables: [String]) throws -> String? {
    if tables.isEmpty { return nil }
    return try connection.strings(
      """
      SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_dist_partition p
      JOIN pg_class c ON c.oid = p.logicalrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY (\(Parameter.textArray(tables))::oid[]) ORDER BY 1 LIMIT 1
      """
    ).first
  }

  /// The fault of a sequence that would assign positions below the head.
  private func sequenceBehind(_ sequence: String) throws -> PositionFault? {
    var history = FollowedHistory(of: table, relation, sequence: sequence)
    do { _ = try history.look(connection) } catch let error as SequenceBehind { return error.fault }
    return nil
  }
}
