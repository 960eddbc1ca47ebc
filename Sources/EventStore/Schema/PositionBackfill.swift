internal import LibPQ

/// The statements that add positions to a table of events without stopping writers.
///
/// From the first moment new events get positions above all that the old ones need. The old ones get theirs in chunks.
/// Only then is the column declared NOT NULL; a validated CHECK saves a pass under the lock (manual, "ALTER TABLE,
/// SET NOT NULL").
struct PositionBackfill {
  /// The first position of new events.
  let start: Int64
  private let table: QualifiedName
  /// The columns of the unique key that finds an event.
  private let key: [String]
  private let tag: String
  private let addsMetadata: Bool

  /// - Parameter oid: of the table; helper objects are named after it.
  init(_ table: EventsTable, oid: Int64, key: [String], start: Int64) {
    (self.table, self.key, self.start) = (table.name, key, start)
    addsMetadata = !table.hasMetadata
    tag = "backfill_\(oid)"
  }

  /// The table of positions for events. It exists only when it is complete.
  var numbers: QualifiedName { QualifiedName(schema: "annals", name: tag) }
  private var sequence: QualifiedName { QualifiedName(schema: "annals", name: "\(tag)_positions") }
  private var check: String { quoteIdentifier("\(tag)_not_null") }

  /// Needs the lock of the table for a moment.
  ///
  /// With a default, the writer's role needs the right to use the sequence; with the identity at the end it does not.
  var begin: String {
    (addsMetadata ? SQLTemplate.addMetadata.filled([:], from: ["events": table.sql]) : "") + """
      CREATE SEQUENCE \(sequence.sql) START \(start) CACHE 1;
      GRANT USAGE ON SEQUENCE \(sequence.sql) TO PUBLIC;
      ALTER TABLE \(table.sql) ADD COLUMN position bigint;
      ALTER TABLE \(table.sql) ALTER COLUMN position SET DEFAULT nextval(\(quoteLiteral(sequence.sql)));

      """
  }

  var number: String {
    SQLTemplate.numberEvents.filled([
      "numbers": numbers.sql, "events": table.sql, "key": key.joined(separator: ", "), "start": "\(start)",
    ])
  }

  /// Assigns the positions of the events with $1 < position <= $2.
  var fillChunk: String {
    let isSame = key.map { "e.\($0) = n.\($0)" }.joined(separator: " AND ")
    return """
      UPDATE \(table.sql) AS e SET position = n.position FROM \(numbers.sql) AS n
      WHERE n.position > $1 AND n.position <= $2 AND \(isSame) AND e.position IS NULL
      """
  }

  /// The next chunks use the space of old row versions again.
  var vacuum: String { "VACUUM (TRUNCATE false) \(table.sql)" }

  /// The indexes that reading by position needs, by name.
  var indexes: [(name: QualifiedName, create: String)] {
    let position = QualifiedName(schema: table.schema, name: "\(tag)_position")
    let types = QualifiedName(schema: table.schema, name: "\(tag)_types")
    return [
      (
        position,
        "CREATE UNIQUE INDEX CONCURRENTLY \(quoteIdentifier(position.name)) ON \(table.sql) (position)"
      ),
      (
        types,
        "CREATE INDEX CONCURRENTLY \(quoteIdentifier(types.name)) ON \(table.sql) (event_type, position)"
      ),
    ]
  }

  /// Reads the table while writers continue.
  var validate: String {
    """
    ALTER TABLE \(table.sql) DROP CONSTRAINT IF EXISTS \(check);
    ALTER TABLE \(table.sql) ADD CONSTRAINT \(check) CHECK (position IS NOT NULL) NOT VALID;
    ALTER TABLE \(table.sql) VALIDATE CONSTRAINT \(check);

    """
  }

  /// Needs the lock of the table for a moment. Index names are as `CREATE TABLE` gives them, if those are free.
  func end(positionIndex: String, typesIndex: String) -> String {
    """
    ALTER TABLE \(table.sql) ALTER COLUMN position SET NOT NULL, DROP CONSTRAINT \(check),
      ALTER COLUMN position DROP DEFAULT;
    ALTER TABLE \(table.sql) ALTER COLUMN position ADD GENERATED ALWAYS AS IDENTITY (CACHE 1),
      ADD CONSTRAINT \(quoteIdentifier(positionIndex)) UNIQUE USING INDEX \(quoteIdentifier(indexes[0].name.name));
    ALTER INDEX \(indexes[1].name.sql) RENAME TO \(quoteIdentifier(typesIndex));
    SELECT setval(pg_get_serial_sequence(\(quoteLiteral(table.sql)), 'position'), last_value, is_called)
    FROM \(sequence.sql);
    DROP SEQUENCE \(sequence.sql);
    DROP TABLE \(numbers.sql);

    """
  }
}
