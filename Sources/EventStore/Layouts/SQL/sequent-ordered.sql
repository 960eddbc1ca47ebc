-- @layout sequent-ordered
-- @about Sequent 8, in the order of its commands
-- @parameter schema sequent_schema
-- @table :"schema".commands
-- @table :"schema".events
-- Sequent 8, as layout sequent. A command takes its number from a sequence before its events are written, in the same
-- transaction. Its events, 100,000 at most, are ordered by aggregate and number.
SELECT md5(e.aggregate_id::text || ' ' || e.sequence_number)::uuid AS id,
       e.aggregate_id::text AS aggregate_id,
       e.aggregate_id AS aggregate_uuid,
       t.type AS event_type,
       e.event_json AS event_data,
       e.sequence_number AS version,
       e.created_at AS "timestamp",
       jsonb_strip_nulls(jsonb_build_object(
         'command_id', e.command_id, 'command_type', ct.type, 'user_id', c.user_id,
         'correlation_id', 'command ' || e.command_id,
         'causation_id', md5(c.event_aggregate_id::text || ' ' || c.event_sequence_number)::uuid)) AS metadata,
       e.command_id * 100000 + (
         SELECT count(*) FROM :"schema".events AS o
         WHERE o.command_id = e.command_id AND (o.aggregate_id, o.sequence_number) <= (e.aggregate_id, e.sequence_number)
       ) AS position
FROM :"schema".events AS e
JOIN :"schema".event_types AS t ON t.id = e.event_type_id
LEFT JOIN :"schema".commands AS c ON c.id = e.command_id
LEFT JOIN :"schema".command_types AS ct ON ct.id = c.command_type_id
