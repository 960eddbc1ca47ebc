-- The first event of {batch} (events of an export) whose place another event of the store has: its id, its version in
-- the stream or its position. Payloads are compared as text: 1.0 and 1.00 are equal, but not the same payload.
SELECT n.line, n.id, n.aggregate_id::text AS aggregate_id, n.version, t.id::text AS stored_id_text,
       t.aggregate_id AS stored_aggregate,
       t.version AS stored_version, t.position AS stored_position, t.differences
FROM (
  {places}
) AS t
JOIN {batch} AS n ON n.line = t.line
WHERE t.differences <> '' ORDER BY n.line LIMIT 1
