-- @layout patchlevel
-- @about patchlevel/event-sourcing, TaggableDoctrineDbalStore
-- @parameter schema public
-- @parameter table event_store
-- @table :"schema".:"table"
-- patchlevel/event-sourcing, https://github.com/patchlevel/event-sourcing: configureSchema() of
-- src/Store/TaggableDoctrineDbalStore.php. Older stores call event_name event and event_payload payload, and have no
-- event_id: copy this file, and make ids from numbers with lpad(to_hex(m.id), 32, '0')::uuid. An application may
-- choose the ids: an id that is not a uuid becomes one by its MD5.
SELECT CASE WHEN m.event_id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN m.event_id
            ELSE md5(m.event_id) END::uuid AS id,
       m.stream AS aggregate_id,
       m.event_name AS event_type,
       m.event_payload::jsonb AS event_data,
       m.playhead AS version,
       m.recorded_on AS "timestamp",
       m.custom_headers::jsonb AS metadata,
       m.id AS position
FROM :"schema".:"table" AS m
WHERE m.playhead IS NOT NULL
