-- @layout message-db-protean
-- @about Message DB as Protean writes it
-- @parameter schema message_store
-- @table :"schema".messages
-- Message DB, as layout message-db. Protean has its own ids, which are texts, in metadata.headers.id, and names causes
-- by them: the id here is made from that text. A message that Protean did not write keeps its id.
SELECT coalesce(md5(m.metadata #>> '{headers,id}')::uuid, m.id) AS id,
       m.stream_name AS aggregate_id,
       m.type AS event_type,
       coalesce(m.data, 'null') AS event_data,
       (m.position + 1)::integer AS version,
       m.time AS "timestamp",
       coalesce(m.metadata, '{}') || jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', m.metadata #> '{domain,correlation_id}',
         'causation_id', md5(m.metadata #>> '{domain,causation_id}')::uuid)) AS metadata,
       m.global_position AS position
FROM :"schema".messages AS m
