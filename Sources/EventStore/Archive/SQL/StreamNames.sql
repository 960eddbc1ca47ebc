-- The names of streams, the first {most} for which {after} holds, in the order of the index. Each step searches it for the
-- name after the last one (PostgreSQL wiki, "Loose indexscan").
WITH RECURSIVE names (name) AS (
  (SELECT e.aggregate_id::text FROM {events} e WHERE {after} ORDER BY e.aggregate_id LIMIT 1)
  UNION ALL
  SELECT (SELECT e.aggregate_id::text FROM {events} e WHERE e.aggregate_id > n.name ORDER BY e.aggregate_id LIMIT 1)
  FROM names n WHERE n.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT {most}
