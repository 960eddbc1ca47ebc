extension FrameworkStore {
  /// messages.sql of Message DB, with its indexes.
  private static let messageDB = """
    CREATE TABLE messages (global_position bigserial PRIMARY KEY, position bigint NOT NULL,
      time timestamp DEFAULT (now() AT TIME ZONE 'utc') NOT NULL, stream_name text NOT NULL, type text NOT NULL, data jsonb,
      metadata jsonb, id uuid NOT NULL DEFAULT gen_random_uuid());
    CREATE UNIQUE INDEX messages_id ON messages (id);
    CREATE UNIQUE INDEX messages_stream ON messages (stream_name, position);
    """

  /// - Parameter metadata: of the first message.
  private static func messages(_ metadata: String) -> String {
    """
    INSERT INTO messages (stream_name, position, type, data, metadata) VALUES
      ('order-1', 0, 'Submitted', '{"n": 1}', '\(metadata)'), ('order-2', 0, 'Submitted', '{"n": 2}', NULL),
      ('order-1', 1, 'Paid', '{"n": 3}', NULL);
    """
  }

  private static let messageDamage = "DELETE FROM messages WHERE global_position = 1"

  private static let recorder = """
    CREATE TABLE stored_events (originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text, state bytea,
      notification_id bigserial, PRIMARY KEY (originator_id, originator_version));
    CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id ASC);
    """

  /// What JSONTranscoder writes of an event.
  private static let recorded = """
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
    SELECT stream::uuid, version, topic, convert_to(
      format('{"n":%s,"timestamp":{"_type_":"datetime_iso","_data_":"2026-01-02T03:04:0%s.000006+00:00"},"correlation_id":"x"}',
        n, n), 'UTF8')
    FROM (VALUES (1, '\(uuids[0])', 1, 'Submitted'), (2, '\(uuids[1])', 1, 'Submitted'), (3, '\(uuids[0])', 2, 'Paid'))
      AS v (n, stream, version, topic);
    """

  private static let recorderDamage = "DELETE FROM stored_events WHERE notification_id = 1"

  static let python = [
    FrameworkStore(
      name: "pyeventsourcing",
      tables: recorder,
      events: recorded,
      damage: recorderDamage,
      aggregateIDs: uuids,
      payloads: (1...3).map { #"{"n": \#($0), "correlation_id": "x"}"# },
      metadata: #"{"correlation_id": "x"}"#
    ),
    FrameworkStore(
      name: "pyeventsourcing-opaque",
      tables: recorder,
      events: recorded + #"UPDATE stored_events SET state = decode('789c0' || notification_id, 'hex');"#,
      damage: recorderDamage,
      aggregateIDs: uuids,
      payloads: [#"{"base64": "eJwB"}"#, #"{"base64": "eJwC"}"#, #"{"base64": "eJwD"}"#],
      metadata: nil
    ),
    FrameworkStore(
      name: "message-db-protean",
      schema: "message_store",
      tables: messageDB,
      events: messages(
        #"{"headers": {"id": "a"}, "domain": {"correlation_id": "c-1", "causation_id": "b"}}"#
      ),
      damage: messageDamage,
      metadata: #""correlation_id": "c-1""#
    ),
  ]

  static let others = [
    FrameworkStore(
      name: "message-db",
      schema: "message_store",
      tables: messageDB,
      events: messages(#"{"by": "x"}"#),
      damage: messageDamage
    ),
    FrameworkStore(
      name: "message-db-eventide",
      schema: "message_store",
      tables: messageDB,
      events: messages(#"{"correlationStreamName": "cart-1", "by": "x"}"#),
      damage: messageDamage,
      metadata: #""correlation_id": "cart-1""#
    ),
    FrameworkStore(
      name: "emmett",
      tables: """
        CREATE SEQUENCE emt_global_message_position;
        CREATE TABLE emt_messages (stream_position bigint NOT NULL,
          global_position bigint DEFAULT nextval('emt_global_message_position'), transaction_id xid8 NOT NULL,
          created timestamptz NOT NULL DEFAULT now(), is_archived boolean NOT NULL DEFAULT false,
          message_kind varchar(1) NOT NULL DEFAULT 'E', stream_id text NOT NULL,
          partition text NOT NULL DEFAULT 'emt:default', message_schema_version text NOT NULL, message_id text NOT NULL,
          message_type text NOT NULL, message_data jsonb NOT NULL, message_metadata jsonb NOT NULL,
          PRIMARY KEY (stream_id, stream_position, partition, is_archived)) PARTITION BY LIST (partition);
        CREATE TABLE emt_messages_default PARTITION OF emt_messages FOR VALUES IN ('emt:default')
          PARTITION BY LIST (is_archived);
        CREATE TABLE emt_messages_active PARTITION OF emt_messages_default FOR VALUES IN (false);
        """,
      events: """
        INSERT INTO emt_messages (stream_id, stream_position, transaction_id, message_schema_version, message_id,
          message_type, message_data, message_metadata)
        SELECT stream, position, pg_current_xact_id(), '1', gen_random_uuid(), type, data::jsonb, meta::jsonb
        FROM (VALUES ('order-1', 1, 'Submitted', '{"n": 1}', '{"by": "x"}'), ('order-2', 1, 'Submitted', '{"n": 2}', '{}'),
          ('order-1', 2, 'Paid', '{"n": 3}', '{}')) AS v (stream, position, type, data, meta);
        """,
      damage: "DELETE FROM emt_messages WHERE global_position = 1"
    ),
    FrameworkStore(
      name: "pekko-jdbc",
      tables: """
        CREATE TABLE event_journal (ordering bigserial, persistence_id varchar(255) NOT NULL, sequence_number bigint NOT NULL,
          deleted boolean DEFAULT false NOT NULL, writer varchar(255) NOT NULL, write_timestamp bigint,
          adapter_manifest varchar(255), event_ser_id integer NOT NULL, event_ser_manifest varchar(255) NOT NULL,
          event_payload bytea NOT NULL, meta_ser_id integer, meta_ser_manifest varchar(255), meta_payload bytea,
          PRIMARY KEY (persistence_id, sequence_number));
        CREATE UNIQUE INDEX event_journal_ordering_idx ON event_journal (ordering);
        """,
      events: """
        INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, event_ser_id, event_ser_manifest,
          event_payload)
        SELECT stream, number, 'x', 1767225600250, 31, type, convert_to(data, 'UTF8')
        FROM (VALUES ('order-1', 1, 'Submitted', '{"n": 1}'), ('order-2', 1, 'Submitted', '{"n": 2}'),
          ('order-1', 2, 'Paid', '{"n": 3}')) AS v (stream, number, type, data);
        """,
      damage: "DELETE FROM event_journal WHERE ordering = 1",
      metadata: #""writer": "x""#
    ),
    FrameworkStore(
      name: "axon-jdbc",
      tables: """
        CREATE TABLE domainevententry (globalindex bigserial PRIMARY KEY, aggregateidentifier varchar(255) NOT NULL,
          sequencenumber bigint NOT NULL, type varchar(255), eventidentifier varchar(255) NOT NULL UNIQUE, metadata bytea,
          payload bytea NOT NULL, payloadrevision varchar(255), payloadtype varchar(255) NOT NULL,
          "timestamp" varchar(255) NOT NULL, UNIQUE (aggregateidentifier, sequencenumber));
        """,
      events: """
        INSERT INTO domainevententry (aggregateidentifier, sequencenumber, eventidentifier, metadata, payload, payloadtype,
          "timestamp")
        SELECT stream, number, gen_random_uuid(), '<meta/>', convert_to(data, 'UTF8'), type, '2026-01-02T03:04:05.006Z'
        FROM (VALUES ('order-1', 0, 'Submitted', '<n>1</n>'), ('order-2', 0, 'Submitted', '<n>2</n>'),
          ('order-1', 1, 'Paid', '<n>3</n>')) AS v (stream, number, type, data);
        """,
      damage: "DELETE FROM domainevententry WHERE globalindex = 1",
      payloads: (1...3).map { #"{"xml": "<n>\#($0)</n>"}"# },
      metadata: #"{"xml": "<meta/>"}"#,
      isExample: true
    ),
    FrameworkStore(
      name: "axon-jpa",
      tables: """
        CREATE SEQUENCE domain_event_entry_seq INCREMENT BY 50;
        CREATE TABLE domain_event_entry (global_index bigint PRIMARY KEY, event_identifier varchar(255) NOT NULL UNIQUE,
          meta_data oid, payload oid NOT NULL, payload_revision varchar(255), payload_type varchar(255) NOT NULL,
          time_stamp varchar(255) NOT NULL, aggregate_identifier varchar(255) NOT NULL, sequence_number bigint NOT NULL,
          type varchar(255), UNIQUE (aggregate_identifier, sequence_number));
        """,
      events: """
        INSERT INTO domain_event_entry (global_index, event_identifier, meta_data, payload, payload_type, time_stamp,
          aggregate_identifier, sequence_number)
        SELECT n, gen_random_uuid(), lo_from_bytea(0, '{"by": "x"}'), lo_from_bytea(0, convert_to(format('{"n": %s}', n), 'UTF8')),
          type, '2026-01-02T03:04:05.006Z', stream, number
        FROM (VALUES (1, 'order-1', 0, 'Submitted'), (2, 'order-2', 0, 'Submitted'), (3, 'order-1', 1, 'Paid'))
          AS v (n, stream, number, type);
        """,
      damage: "DELETE FROM domain_event_entry WHERE global_index = 1",
      positions: .late,
      isExample: true
    ),
  ]
}
