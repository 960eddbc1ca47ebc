-- The SHA-256 of events, stream by stream. {streams} joins the wanted streams, and is empty for all of them;
-- {condition} holds for each event. {redactions} is a column with the hashes before and after each redaction, or empty.
-- record_send() writes each value after its type and its length, jsonb as its text and times as microseconds: two
-- different events never give the same bytes, and no setting changes the bytes.
-- The version is hashed with the chain, so that an event that moved is recognized. Events without a version come first,
-- so that appended events are at the end.
SELECT e.aggregate_id::text, coalesce(e.version, -2147483648),
       sha256(record_send(ROW(e.id, e.event_type::text, e.event_data, {timestamp}, {metadata}))){redactions}
FROM {events} e {streams} WHERE e.aggregate_id IS NOT NULL AND {condition}
ORDER BY e.aggregate_id COLLATE "C", e.version NULLS FIRST, e.id
