-- @layout eventsauce
-- @about EventSauce 3, DefaultTableSchema
-- @parameter schema public
-- @parameter table event_store
-- @table :"schema".:"table"
-- EventSauce, https://eventsauce.io/docs/message-storage/repository-table-schema: the column payload holds the type,
-- the time and the headers beside the payload of the event.
SELECT e.event_id AS id,
       e.aggregate_root_id::text AS aggregate_id,
       e.aggregate_root_id AS aggregate_uuid,
       m.message #>> '{headers,__event_type}' AS event_type,
       m.message -> 'payload' AS event_data,
       e.version::integer AS version,
       (m.message #>> '{headers,__time_of_recording}')::timestamptz AS "timestamp",
       m.message -> 'headers' AS metadata,
       e.id::bigint AS position
FROM :"schema".:"table" AS e
CROSS JOIN LATERAL (SELECT e.payload::jsonb AS message) AS m
