-- Appends events to one stream if its last version is in a range. Returns the last version before, and the version and
-- position of each event in order; these are NULL when nothing was appended.
-- The time is taken after the snapshot. statement_timestamp() is before it, and another writer may have appended in
-- between: then a later version would have an earlier time.
-- {archived} is a comma and the last version in the archive, where a stream that has ended may be, or empty.
-- $1 aggregate, $2 and $3 lowest and highest last version, $4 ids, $5 types, $6 payloads, $7 times, $8 metadata
WITH head AS (
  SELECT coalesce(
    (SELECT version FROM {events} WHERE aggregate_id = $1 AND version IS NOT NULL ORDER BY version DESC LIMIT 1){archived}, 0
  ) AS version, clock_timestamp() AS time
), appended AS (
  INSERT INTO {events} (id, aggregate_id, event_type, event_data, version, "timestamp"{metadata_column})
  SELECT n.id, $1, n.event_type, n.event_data, head.version + n.ordinal, coalesce(n.time, head.time){metadata_value}
  FROM head, unnest($4, $5, $6, $7, $8) WITH ORDINALITY AS n (id, event_type, event_data, time, metadata, ordinal)
  WHERE head.version BETWEEN $2 AND $3
  RETURNING version, {position} AS position
)
SELECT head.version, appended.version, appended.position
FROM head LEFT JOIN appended ON true
ORDER BY 2
