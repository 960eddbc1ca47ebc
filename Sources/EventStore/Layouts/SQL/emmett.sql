-- @layout emmett
-- @about Emmett, events that are not archived
-- @parameter schema public
-- @table :"schema".emt_messages
-- Emmett, https://github.com/event-driven-io/emmett: src/packages/emmett-postgresql/src/eventStore/schema/tables.ts,
-- appendToStream.ts. It shows only events (message_kind E) that are not archived, of all partitions. An application may
-- choose the ids: an id that is not a uuid becomes one by its MD5.
SELECT CASE WHEN m.message_id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN m.message_id
            ELSE md5(m.message_id) END::uuid AS id,
       m.stream_id AS aggregate_id,
       m.message_type AS event_type,
       m.message_data AS event_data,
       m.stream_position::integer AS version,
       m.created AS "timestamp",
       m.message_metadata AS metadata,
       m.global_position AS position
FROM :"schema".emt_messages AS m
WHERE m.message_kind = 'E' AND NOT m.is_archived
