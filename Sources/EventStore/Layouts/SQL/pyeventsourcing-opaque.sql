-- @layout pyeventsourcing-opaque
-- @about eventsourcing for Python with a compressor or a cipher: payloads in base64, times unknown
-- @parameter schema public
-- @parameter table stored_events
-- @table :"schema".:"table"
-- eventsourcing for Python, as layout pyeventsourcing. The server can neither decompress nor decrypt the state, which
-- also holds the time: the year 1970 takes its place.
SELECT md5(e.originator_id::text || ' ' || e.originator_version)::uuid AS id,
       e.originator_id::text AS aggregate_id,
       e.originator_id AS aggregate_uuid,
       e.topic AS event_type,
       jsonb_build_object('base64', encode(e.state, 'base64')) AS event_data,
       e.originator_version::integer AS version,
       to_timestamp(0) AS "timestamp",
       e.notification_id::bigint AS position
FROM :"schema".:"table" AS e
