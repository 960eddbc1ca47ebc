-- Stores the events of a test in their order, so that their positions are their numbers.
-- $1 ids, $2 aggregates, $3 types, $4 payloads, $5 versions, $6 times, $7 metadata
INSERT INTO {events} (id, aggregate_id, event_type, event_data, version, "timestamp", metadata)
SELECT n.id, n.aggregate_id, n.event_type, n.event_data, n.version, n.time, n.metadata
FROM unnest($1, $2, $3, $4, $5, $6, $7)
  WITH ORDINALITY AS n (id, aggregate_id, event_type, event_data, version, time, metadata, ordinal)
ORDER BY n.ordinal
