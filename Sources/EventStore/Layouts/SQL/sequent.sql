-- @layout sequent
-- @about Sequent 8, stream by stream
-- @parameter schema sequent_schema
-- @table :"schema".events
-- Sequent 8, https://github.com/zilverline/sequent: db/sequent_schema_tables.sql and the view of
-- db/migrate/sequent/event_records_v01.sql. It has no order of the whole store, and an event has no id: it is made from
-- its stream and its number in it.
SELECT md5(e.aggregate_id::text || ' ' || e.sequence_number)::uuid AS id,
       e.aggregate_id::text AS aggregate_id,
       e.aggregate_id AS aggregate_uuid,
       t.type AS event_type,
       e.event_json AS event_data,
       e.sequence_number AS version,
       e.created_at AS "timestamp"
FROM :"schema".events AS e
JOIN :"schema".event_types AS t ON t.id = e.event_type_id
