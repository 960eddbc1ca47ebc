-- How many events each bucket of streams has, and the sum of the first 64 bits of their SHA-256. One row without a
-- bucket has the number of streams. {bucket} is the bucket of an event; {condition} holds for each event.
-- The hash covers what a manifest hashes, with the stream and the version; see EventHashes.sql.
SELECT {bucket}::bigint AS bucket, count(*) AS events,
       sum(('x' || left(encode(sha256(record_send(
         ROW(e.aggregate_id::text, e.version, e.id, e.event_type::text, e.event_data, {timestamp}, {metadata}))), 'hex'), 16)
       )::bit(64)::bigint)::text AS sum
FROM {events} e WHERE e.aggregate_id IS NOT NULL AND {condition}
GROUP BY 1
UNION ALL
SELECT NULL, count(*), NULL
FROM (SELECT FROM {events} e WHERE e.aggregate_id IS NOT NULL AND {condition} GROUP BY e.aggregate_id) AS s
