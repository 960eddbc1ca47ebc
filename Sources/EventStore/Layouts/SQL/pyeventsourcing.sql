-- @layout pyeventsourcing
-- @about eventsourcing for Python, an application with JSON without compressor and cipher
-- @parameter schema public
-- @parameter table stored_events
-- @table :"schema".:"table"
-- eventsourcing, https://github.com/pyeventsourcing/eventsourcing: eventsourcing/postgres.py. The table of an
-- application has its name: Shop has shop_events. The state is JSON in bytea, and holds the time. Events have no id: it
-- is made from stream and number.
SELECT md5(e.originator_id::text || ' ' || e.originator_version)::uuid AS id,
       e.originator_id::text AS aggregate_id,
       e.originator_id AS aggregate_uuid,
       e.topic AS event_type,
       s.state - 'timestamp' AS event_data,
       e.originator_version::integer AS version,
       (s.state #>> '{timestamp,_data_}')::timestamptz AS "timestamp",
       nullif(jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', s.state -> 'correlation_id', 'causation_id', s.state -> 'causation_id')), '{}') AS metadata,
       e.notification_id::bigint AS position
FROM :"schema".:"table" AS e
CROSS JOIN LATERAL (SELECT convert_from(e.state, 'UTF8')::jsonb AS state) AS s
