extension FrameworkStore {
  /// init.ex; `type` is column_data_type.
  private static func commanded(_ type: String) -> String {
    """
    CREATE TABLE streams (stream_id bigserial PRIMARY KEY, stream_uuid text NOT NULL,
      stream_version bigint DEFAULT 0 NOT NULL, created_at timestamptz DEFAULT now() NOT NULL, deleted_at timestamptz);
    CREATE UNIQUE INDEX ix_streams_stream_uuid ON streams (stream_uuid);
    CREATE TABLE events (event_id uuid PRIMARY KEY, event_type text NOT NULL, causation_id uuid, correlation_id uuid,
      data \(type) NOT NULL, metadata \(type), created_at timestamptz DEFAULT now() NOT NULL);
    CREATE TABLE stream_events (event_id uuid NOT NULL REFERENCES events, stream_id bigint NOT NULL REFERENCES streams,
      stream_version bigint NOT NULL, original_stream_id bigint REFERENCES streams, original_stream_version bigint,
      PRIMARY KEY (event_id, stream_id));
    CREATE UNIQUE INDEX ix_stream_events ON stream_events (stream_id, stream_version);
    INSERT INTO streams (stream_id, stream_uuid) VALUES (0, '$all');
    """
  }

  private static func commandedEvents(_ cast: (String) -> String) -> String {
    """
    INSERT INTO streams (stream_uuid) VALUES ('order-1'), ('order-2');
    INSERT INTO events (event_id, event_type, data, metadata, correlation_id)
    SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, CASE n WHEN 3 THEN 'Paid' ELSE 'Submitted' END,
      \(cast("format('{\"n\": %s}', n)")), \(cast("CASE n WHEN 1 THEN '{\"by\": \"x\"}' END")), NULL
    FROM generate_series(1, 3) n;
    INSERT INTO stream_events SELECT event_id, s.stream, v, o, ov
    FROM (VALUES (1, 1, 1, 1, 1), (1, 0, 1, 1, 1), (2, 2, 1, 2, 1), (2, 0, 2, 2, 1), (3, 1, 2, 1, 2), (3, 0, 3, 1, 2))
      AS s (n, stream, v, o, ov)
    JOIN events ON event_id = ('00000000-0000-4000-8000-00000000000' || n)::uuid;
    """
  }

  private static let commandedDamage =
    "DELETE FROM stream_events WHERE original_stream_id = 1 AND original_stream_version = 1"

  /// db/sequent_schema_tables.sql, as far as events go.
  private static let sequent = """
    CREATE TABLE command_types (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text UNIQUE NOT NULL);
    CREATE TABLE event_types (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text UNIQUE NOT NULL);
    CREATE SEQUENCE commands_id_seq;
    CREATE TABLE commands (id bigint NOT NULL DEFAULT nextval('commands_id_seq'), created_at timestamptz NOT NULL,
      user_id uuid, aggregate_id uuid, command_type_id smallint NOT NULL REFERENCES command_types,
      command_json jsonb NOT NULL, event_aggregate_id uuid, event_sequence_number integer, PRIMARY KEY (id))
      PARTITION BY RANGE (id);
    CREATE TABLE commands_default PARTITION OF commands DEFAULT;
    CREATE TABLE events (aggregate_id uuid NOT NULL, partition_key text NOT NULL DEFAULT '',
      sequence_number integer NOT NULL, created_at timestamptz NOT NULL, command_id bigint NOT NULL,
      event_type_id smallint NOT NULL, event_json jsonb NOT NULL, xact_id bigint) PARTITION BY RANGE (partition_key);
    CREATE TABLE events_default PARTITION OF events DEFAULT;
    ALTER TABLE events ADD PRIMARY KEY (partition_key, aggregate_id, sequence_number);
    """

  private static let sequentEvents = """
    INSERT INTO command_types (type) VALUES ('Submit'), ('Pay');
    INSERT INTO event_types (type) VALUES ('Submitted'), ('Paid');
    INSERT INTO commands (created_at, command_type_id, command_json, event_aggregate_id, event_sequence_number) VALUES
      (now(), 1, '{}', NULL, NULL), (now(), 1, '{}', NULL, NULL), (now(), 2, '{}', '\(uuids[1])', 1);
    INSERT INTO events (aggregate_id, sequence_number, created_at, command_id, event_type_id, event_json) VALUES
      ('\(uuids[0])', 1, now(), 1, 1, '{"n": 1}'), ('\(uuids[1])', 1, now(), 2, 1, '{"n": 2}'),
      ('\(uuids[0])', 2, now(), 3, 2, '{"n": 3}');
    """

  /// The migration of ruby_event_store-active_record.
  private static func railsEventStore(_ type: String) -> String {
    """
    CREATE TABLE event_store_events (id bigserial PRIMARY KEY, event_id uuid NOT NULL UNIQUE, event_type varchar NOT NULL,
      metadata \(type), data \(type) NOT NULL, created_at timestamp NOT NULL, valid_at timestamp);
    CREATE TABLE event_store_events_in_streams (id bigserial PRIMARY KEY, stream varchar NOT NULL, position integer,
      event_id uuid NOT NULL, created_at timestamp NOT NULL);
    CREATE UNIQUE INDEX ON event_store_events_in_streams (stream, position);
    CREATE UNIQUE INDEX ON event_store_events_in_streams (stream, event_id);
    CREATE INDEX ON event_store_events_in_streams (event_id);
    """
  }

  /// The last event is linked into another stream as well.
  private static func railsEvents(_ data: [String], _ metadata: String, as cast: String) -> String {
    """
    INSERT INTO event_store_events (event_id, event_type, data, metadata, created_at)
    SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, type, \(cast.replacing("?", with: "data")),
      \(cast.replacing("?", with: "meta")), now() AT TIME ZONE 'utc'
    FROM (VALUES (1, 'Submitted', E'\(data[0])', E'\(metadata)'), (2, 'Submitted', E'\(data[1])', NULL),
      (3, 'Paid', E'\(data[2])', NULL)) AS v (n, type, data, meta);
    INSERT INTO event_store_events_in_streams (stream, position, event_id, created_at)
    SELECT stream, position, ('00000000-0000-4000-8000-00000000000' || n)::uuid, now()
    FROM (VALUES ('order-1', 0, 1), ('order-2', 0, 2), ('order-1', 1, 3), ('paid', 0, 3)) AS v (stream, position, n);
    """
  }

  private static let json = (1...3).map { #"{"n": \#($0)}"# }
  private static let yaml = (1...3).map { #"---\nn: \#($0)\n"# }
  private static let railsDamage = "DELETE FROM event_store_events WHERE id = 1"

  static let elixirAndRuby = [
    FrameworkStore(
      name: "commanded",
      tables: commanded("jsonb"),
      events: commandedEvents { "(\($0))::jsonb" },
      damage: commandedDamage,
      positions: .dense(head: 3)
    ),
    FrameworkStore(
      name: "commanded-bytea",
      tables: commanded("bytea"),
      events: commandedEvents { "convert_to(\($0), 'UTF8')" },
      damage: commandedDamage,
      positions: .dense(head: 3)
    ),
    FrameworkStore(
      name: "commanded-links",
      tables: commanded("jsonb"),
      events: commandedEvents { "(\($0))::jsonb" },
      damage: commandedDamage,
      positions: .none
    ),
    FrameworkStore(
      name: "sequent",
      schema: "sequent_schema",
      tables: sequent,
      events: sequentEvents,
      damage: "DELETE FROM events WHERE command_id = 1",
      aggregateIDs: uuids,
      metadata: #""command_type": "Submit""#,
      positions: .none
    ),
    FrameworkStore(
      name: "sequent-ordered",
      schema: "sequent_schema",
      tables: sequent,
      events: sequentEvents,
      damage: "DELETE FROM events WHERE command_id = 1",
      aggregateIDs: uuids,
      metadata: #""correlation_id": "command 1""#,
      positions: .final(head: 300_001)
    ),
    FrameworkStore(
      name: "rails-event-store",
      tables: railsEventStore("jsonb"),
      events: railsEvents(json, #"{"by": "x", "types": {}}"#, as: "?::jsonb"),
      damage: railsDamage
    ),
    FrameworkStore(
      name: "rails-event-store-bytea",
      tables: railsEventStore("bytea"),
      events: railsEvents(json, #"{"by": "x", "types": {}}"#, as: "convert_to(?, 'UTF8')"),
      damage: railsDamage
    ),
    FrameworkStore(
      name: "rails-event-store-yaml",
      tables: railsEventStore("bytea"),
      events: railsEvents(yaml, #"---\n:correlation_id: c-1\n:remote_ip: x\n"#, as: "convert_to(?, 'UTF8')"),
      damage: railsDamage,
      payloads: yaml.map { #"{"yaml": "\#($0)"}"# },
      metadata: #"{"correlation_id": "c-1"}"#
    ),
  ]
}
