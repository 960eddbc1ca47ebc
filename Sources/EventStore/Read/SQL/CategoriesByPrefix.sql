-- The categories that begin with $1, the first $2 in the order of bytes, found as NamesByPrefix.sql finds names: behind
-- those of a category, which end before "." (the character after "-"), the next id has the next one.
WITH RECURSIVE names (name) AS (
  (SELECT split_part(e.aggregate_id, '-', 1) FROM {events} e
   WHERE e.aggregate_id COLLATE "C" >= $1 AND e.aggregate_id COLLATE "C" < $1 || chr(1114111)
   ORDER BY e.aggregate_id COLLATE "C" LIMIT 1)
  UNION ALL
  SELECT (SELECT split_part(e.aggregate_id, '-', 1) FROM {events} e
          WHERE e.aggregate_id COLLATE "C" >= n.name || '.' AND e.aggregate_id COLLATE "C" < $1 || chr(1114111)
          ORDER BY e.aggregate_id COLLATE "C" LIMIT 1)
  FROM names n WHERE n.name IS NOT NULL
)
SELECT name FROM (SELECT name FROM names WHERE name IS NOT NULL LIMIT $2) AS n WHERE starts_with(name, $1)
