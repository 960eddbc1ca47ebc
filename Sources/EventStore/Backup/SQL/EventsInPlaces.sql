-- The events of the store that have the place {place} of an event of {batch}, and the columns in which the two differ.
SELECT n.line, e.id, e.aggregate_id::text AS aggregate_id, e.version, {stored_position} AS position, concat_ws(', ',
  CASE WHEN e.id IS DISTINCT FROM n.id THEN 'id' END,
  CASE WHEN e.aggregate_id IS DISTINCT FROM n.aggregate_id THEN 'aggregate_id' END,
  CASE WHEN e.version IS DISTINCT FROM n.version THEN 'version' END,
  CASE WHEN e.event_type IS DISTINCT FROM n.event_type THEN 'event_type' END,
  CASE WHEN e.event_data::text IS DISTINCT FROM n.event_data::text THEN 'event_data' END,
  CASE WHEN e."timestamp" IS DISTINCT FROM n."timestamp" THEN 'timestamp' END,
  CASE WHEN {stored_metadata}::text IS DISTINCT FROM {metadata}::text THEN 'metadata' END,
  CASE WHEN {stored_position} IS DISTINCT FROM {position} THEN 'position' END) AS differences
FROM {batch} AS n JOIN {events} AS e ON {place}
