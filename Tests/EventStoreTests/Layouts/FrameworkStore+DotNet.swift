extension FrameworkStore {
  /// EventsTable.cs and StreamsTable.cs, with all columns that are optional but is_skipped and bdata.
  private static func marten(key: String, events: String) -> String {
    """
    CREATE SEQUENCE mt_events_sequence;
    CREATE TABLE mt_streams (id uuid NOT NULL, type varchar, version bigint,
      timestamp timestamptz DEFAULT now() NOT NULL, created timestamptz DEFAULT now() NOT NULL,
      tenant_id varchar DEFAULT '*DEFAULT*', is_archived boolean DEFAULT false, PRIMARY KEY (\(key)id));
    CREATE TABLE mt_events (seq_id bigint NOT NULL, id uuid NOT NULL, stream_id uuid NOT NULL, version bigint NOT NULL,
      data jsonb NOT NULL, type varchar(500) NOT NULL, timestamp timestamptz DEFAULT now() NOT NULL,
      tenant_id varchar DEFAULT '*DEFAULT*', mt_dotnet_type varchar, correlation_id varchar, causation_id varchar,
      headers jsonb, is_archived boolean DEFAULT false, \(events);
    CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON mt_events (\(key)stream_id, version);
    CREATE UNIQUE INDEX pk_mt_events_id_unique ON mt_events (\(key)id);
    """
  }

  private static func martenEvents(_ rows: String) -> String {
    """
    INSERT INTO mt_events (seq_id, id, tenant_id, stream_id, version, data, type, headers)
    SELECT nextval('mt_events_sequence'), gen_random_uuid(), tenant, stream::uuid, version, data::jsonb, type, headers::jsonb
    FROM (VALUES \(rows)) AS v (tenant, stream, version, data, type, headers);
    """
  }

  private static let tenantRows = """
    ('t-1', '\(uuids[0])', 1, '{"n": 1}', 'Submitted', '{"by": "x"}'),
    ('t-2', '\(uuids[0])', 1, '{"n": 2}', 'Submitted', NULL), ('t-1', '\(uuids[0])', 2, '{"n": 3}', 'Paid', NULL)
    """

  static let dotnet = [
    FrameworkStore(
      name: "marten",
      tables: marten(key: "", events: "PRIMARY KEY (seq_id))"),
      events: martenEvents(
        """
        ('*DEFAULT*', '\(uuids[0])', 1, '{"n": 1}', 'Submitted', '{"by": "x"}'),
        ('*DEFAULT*', '\(uuids[1])', 1, '{"n": 2}', 'Submitted', NULL),
        ('*DEFAULT*', '\(uuids[0])', 2, '{"n": 3}', 'Paid', NULL)
        """
      ),
      damage: "DELETE FROM mt_events WHERE seq_id = 1",
      aggregateIDs: uuids,
      positions: .dense(head: 3)
    ),
    FrameworkStore(
      name: "marten-conjoined",
      tables: marten(key: "tenant_id, ", events: "PRIMARY KEY (seq_id))"),
      events: martenEvents(tenantRows),
      damage: "DELETE FROM mt_events WHERE seq_id = 1",
      aggregateIDs: ["t-1/\(uuids[0])", "t-2/\(uuids[0])"],
      positions: .dense(head: 3)
    ),
    FrameworkStore(
      name: "marten-tenant-partitions",
      tables: marten(
        key: "tenant_id, ",
        events: """
          PRIMARY KEY (tenant_id, seq_id)) PARTITION BY LIST (tenant_id);
          CREATE TABLE mt_events_t1 PARTITION OF mt_events FOR VALUES IN ('t-1');
          CREATE TABLE mt_events_t2 PARTITION OF mt_events FOR VALUES IN ('t-2')
          """
      ),
      // Each tenant has its own numbers.
      events: martenEvents(tenantRows) + "UPDATE mt_events SET seq_id = version;",
      damage: "DELETE FROM mt_events WHERE tenant_id = 't-1' AND version = 1",
      aggregateIDs: ["t-1/\(uuids[0])", "t-2/\(uuids[0])"],
      positions: .none
    ),
    FrameworkStore(
      name: "eventuous",
      schema: "eventuous",
      tables: """
        CREATE TABLE streams (stream_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          stream_name varchar(1000) NOT NULL UNIQUE, version integer DEFAULT -1 NOT NULL);
        CREATE TABLE messages (message_id uuid NOT NULL, message_type varchar(128) NOT NULL,
          stream_id integer NOT NULL REFERENCES streams, stream_position integer NOT NULL,
          global_position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, json_data jsonb NOT NULL,
          json_metadata jsonb, created timestamp NOT NULL, UNIQUE (stream_id, stream_position),
          UNIQUE (stream_id, message_id));
        """,
      events: """
        INSERT INTO streams (stream_name) VALUES ('order-1'), ('order-2');
        INSERT INTO messages (message_id, message_type, stream_id, stream_position, json_data, json_metadata, created)
        SELECT gen_random_uuid(), type, stream, position, data::jsonb, meta::jsonb, now() AT TIME ZONE 'utc'
        FROM (VALUES (1, 0, 'Submitted', '{"n": 1}', '{"by": "x", "eventuous.correlation-id": "c-1"}'),
          (2, 0, 'Submitted', '{"n": 2}', NULL), (1, 1, 'Paid', '{"n": 3}', '{}')) AS v (stream, position, type, data, meta);
        """,
      damage: "DELETE FROM messages WHERE global_position = 1",
      metadata: #""correlation_id": "c-1""#
    ),
    FrameworkStore(
      name: "sqlstreamstore",
      tables: """
        CREATE TABLE streams (id char(42) NOT NULL UNIQUE, id_original varchar(1000) NOT NULL,
          id_internal serial PRIMARY KEY, version integer DEFAULT -1 NOT NULL, position bigint DEFAULT -1 NOT NULL,
          max_age integer, max_count integer);
        CREATE SEQUENCE messages_seq START 0 MINVALUE 0;
        CREATE TABLE messages (stream_id_internal integer NOT NULL REFERENCES streams (id_internal),
          stream_version integer NOT NULL, position bigint DEFAULT nextval('messages_seq') PRIMARY KEY,
          message_id uuid NOT NULL, created_utc timestamp NOT NULL, type varchar(128) NOT NULL, json_data varchar NOT NULL,
          json_metadata varchar, UNIQUE (stream_id_internal, stream_version), UNIQUE (stream_id_internal, message_id));
        ALTER SEQUENCE messages_seq OWNED BY messages.position;
        """,
      events: """
        INSERT INTO streams (id, id_original) VALUES (md5('1'), 'order-1'), (md5('2'), 'order-2');
        INSERT INTO messages (stream_id_internal, stream_version, message_id, created_utc, type, json_data, json_metadata)
        SELECT stream, version, gen_random_uuid(), now() AT TIME ZONE 'utc', type, data, meta
        FROM (VALUES (1, 0, 'Submitted', '{"n": 1}', '{"by": "x"}'), (2, 0, 'Submitted', '{"n": 2}', NULL),
          (1, 1, 'Paid', '{"n": 3}', NULL)) AS v (stream, version, type, data, meta);
        """,
      damage: "DELETE FROM messages WHERE position = 0",
      positions: .final(head: 2)
    ),
  ]
}
