-- The first $2 categories that begin with $1, in the order of bytes, found step by step as in NamesByPrefix.sql: the
-- ids of a category end before "." (the character after "-"), and the id after them has the next category.
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
