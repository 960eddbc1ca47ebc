-- @layout message-db-eventide
-- @about Message DB with the metadata of Eventide's clients
-- @parameter schema message_store
-- @table :"schema".messages
-- Message DB, as layout message-db. Metadata of Eventide name the cause of a message by its global position, and the
-- correlation by a stream: http://docs.eventide-project.org/user-guide/messages-and-message-data/metadata.html
SELECT m.id,
       m.stream_name AS aggregate_id,
       m.type AS event_type,
       coalesce(m.data, 'null') AS event_data,
       (m.position + 1)::integer AS version,
       m.time AS "timestamp",
       coalesce(m.metadata, '{}') || jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', m.metadata -> 'correlationStreamName',
         'causation_id', (
           SELECT c.id FROM :"schema".messages AS c
           WHERE c.global_position = (m.metadata ->> 'causationMessageGlobalPosition')::bigint))) AS metadata,
       m.global_position AS position
FROM :"schema".messages AS m
