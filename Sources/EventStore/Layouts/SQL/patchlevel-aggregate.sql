-- @layout patchlevel-aggregate
-- @about patchlevel/event-sourcing 3, DoctrineDbalStore, its default
-- @parameter schema public
-- @parameter table eventstore
-- @table :"schema".:"table"
-- patchlevel/event-sourcing, https://github.com/patchlevel/event-sourcing: configureSchema() of
-- src/Store/DoctrineDbalStore.php. A stream is an aggregate's name and id. Events have no id: it is made from the
-- number. Headers are an object, or an empty array if there are none.
SELECT lpad(to_hex(m.id), 32, '0')::uuid AS id,
       m.aggregate || '-' || m.aggregate_id AS aggregate_id,
       m.aggregate AS category,
       m.event AS event_type,
       m.payload::jsonb AS event_data,
       m.playhead AS version,
       m.recorded_on AS "timestamp",
       CASE WHEN jsonb_typeof(h.headers) = 'object' THEN h.headers ELSE '{}' END || jsonb_strip_nulls(
         jsonb_build_object('correlation_id', h.headers #> '{correlation,correlationId}')) AS metadata,
       m.id::bigint AS position
FROM :"schema".:"table" AS m
CROSS JOIN LATERAL (SELECT m.custom_headers::jsonb AS headers) AS h
