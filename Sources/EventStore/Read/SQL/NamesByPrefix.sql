-- The different values of a column that begin with $1, the first $2 in their order. Each step searches the index for
-- the value after the last one (PostgreSQL wiki, "Loose indexscan"). So the cost is a step for each name, however many
-- events have it. {order} is COLLATE "C" if the index is in the order of bytes; {end} is then the end of the range. In
-- another order, names with the same beginning are only near one another, and some may be left out.
WITH RECURSIVE names (name) AS (
  (SELECT e.{column}::text FROM {events} e
   WHERE e.{column} {order} >= $1 {end}
   ORDER BY e.{column} {order} LIMIT 1)
  UNION ALL
  SELECT (SELECT e.{column}::text FROM {events} e
          WHERE e.{column} {order} > n.name {end}
          ORDER BY e.{column} {order} LIMIT 1)
  FROM names n WHERE n.name IS NOT NULL
)
SELECT name FROM (SELECT name FROM names WHERE name IS NOT NULL LIMIT $2) AS n WHERE starts_with(name, $1)
