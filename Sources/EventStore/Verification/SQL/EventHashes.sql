-- The SHA-256 of events, stream by stream; {streams} joins the ones that are wanted, and nothing all of them, and
-- {condition} holds for each.
-- record_send() writes each value behind its type and its length, jsonb as its text and times as microseconds: no two
-- events are written alike, and no setting changes what is written.
-- The version is hashed with the chain, so that an event which moved is known again; events without one come first,
-- so that what is appended stays at the end.
SELECT e.aggregate_id::text, coalesce(e.version, -2147483648),
       sha256(record_send(ROW(e.id, e.event_type::text, e.event_data, {timestamp}, {metadata})))
FROM {events} e {streams} WHERE e.aggregate_id IS NOT NULL AND {condition}
ORDER BY e.aggregate_id COLLATE "C", e.version NULLS FIRST, e.id
