-- @layout patchlevel-stream
-- @about patchlevel/event-sourcing 3, StreamDoctrineDbalStore
-- @parameter schema public
-- @parameter table event_store
-- @table :"schema".:"table"
-- patchlevel/event-sourcing, https://github.com/patchlevel/event-sourcing: configureSchema() of
-- src/Store/StreamDoctrineDbalStore.php of 3.5. Events have no id: it is made from the number. In streams whose events
-- have no playhead, the version is the count of events, made before payloads are joined.
SELECT lpad(to_hex(m.id), 32, '0')::uuid AS id,
       m.stream AS aggregate_id,
       m.event AS event_type,
       m.payload::jsonb AS event_data,
       coalesce(m.playhead, n.number)::integer AS version,
       m.recorded_on AS "timestamp",
       CASE WHEN jsonb_typeof(h.headers) = 'object' THEN h.headers ELSE '{}' END || jsonb_strip_nulls(
         jsonb_build_object('correlation_id', h.headers #> '{correlation,correlationId}')) AS metadata,
       m.id::bigint AS position
FROM :"schema".:"table" AS m
LEFT JOIN (
  SELECT o.id, o.stream, row_number() OVER (PARTITION BY o.stream ORDER BY o.id) AS number
  FROM :"schema".:"table" AS o
  WHERE o.stream IN (SELECT u.stream FROM :"schema".:"table" AS u WHERE u.playhead IS NULL)
) AS n ON n.id = m.id AND n.stream = m.stream
CROSS JOIN LATERAL (SELECT m.custom_headers::jsonb AS headers) AS h
