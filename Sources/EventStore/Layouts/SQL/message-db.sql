-- @layout message-db
-- @about Message DB
-- @parameter schema message_store
-- @table :"schema".messages
-- Message DB, https://github.com/message-db/message-db: database/tables/messages.sql, database/functions/write-message.sql.
-- Positions in a stream start at 0. Times are in UTC, but have no zone.
SELECT m.id,
       m.stream_name AS aggregate_id,
       m.type AS event_type,
       coalesce(m.data, 'null') AS event_data,
       (m.position + 1)::integer AS version,
       m.time AS "timestamp",
       m.metadata,
       m.global_position AS position
FROM :"schema".messages AS m
