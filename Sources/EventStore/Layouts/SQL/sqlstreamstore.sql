-- @layout sqlstreamstore
-- @about SqlStreamStore.Postgres
-- @parameter schema public
-- @table :"schema".messages
-- @may-begin-later
-- SqlStreamStore, https://github.com/SQLStreamStore/SQLStreamStore: src/SqlStreamStore.Postgres/PgSqlScripts/Tables.sql.
-- Positions in a stream start at 0, versions here at 1. The deletion of a stream is an event of stream $deleted;
-- metadata of a stream are in stream $$NAME.
SELECT m.message_id AS id,
       s.id_original::text AS aggregate_id,
       m.type::text AS event_type,
       m.json_data::jsonb AS event_data,
       m.stream_version + 1 AS version,
       m.created_utc AS "timestamp",
       m.json_metadata::jsonb AS metadata,
       m.position
FROM :"schema".messages AS m
JOIN :"schema".streams AS s ON s.id_internal = m.stream_id_internal
