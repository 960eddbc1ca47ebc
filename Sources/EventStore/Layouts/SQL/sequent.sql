-- @layout sequent
-- @about Sequent 8, stream by stream
-- @parameter schema sequent_schema
-- @table :"schema".events
-- Sequent 8, https://github.com/zilverline/sequent: db/sequent_schema_tables.sql and the view of
-- db/migrate/sequent/event_records_v01.sql. The whole store has no order; see layout sequent-ordered. Events have no
-- id: it is made from stream and number, as is the id of the event that caused the command.
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
         'causation_id', md5(c.event_aggregate_id::text || ' ' || c.event_sequence_number)::uuid)) AS metadata
FROM :"schema".events AS e
JOIN :"schema".event_types AS t ON t.id = e.event_type_id
LEFT JOIN :"schema".commands AS c ON c.id = e.command_id
LEFT JOIN :"schema".command_types AS ct ON ct.id = c.command_type_id
