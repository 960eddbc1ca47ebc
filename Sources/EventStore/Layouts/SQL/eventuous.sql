-- @layout eventuous
-- @about Eventuous.Postgresql, without tombstones
-- @parameter schema eventuous
-- @table :"schema".messages
-- @may-begin-later
-- Eventuous, https://github.com/Eventuous/eventuous: src/Postgres/src/Eventuous.Postgresql/Scripts/1_Schema.sql.
-- Positions in a stream start at 0. Times are in UTC, but have no zone. Tombstones are not events: subscriptions of
-- Eventuous write them where a position is missing, after events above it were stored.
SELECT m.message_id AS id,
       s.stream_name AS aggregate_id,
       m.message_type AS event_type,
       m.json_data AS event_data,
       m.stream_position + 1 AS version,
       m.created AS "timestamp",
       coalesce(m.json_metadata, '{}') || jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', m.json_metadata -> 'eventuous.correlation-id',
         'causation_id', m.json_metadata -> 'eventuous.causation-id')) AS metadata,
       m.global_position AS position
FROM :"schema".messages AS m
JOIN :"schema".streams AS s ON s.stream_id = m.stream_id
WHERE s.stream_name <> '__tombstones__' OR m.message_type <> '$tombstone'
