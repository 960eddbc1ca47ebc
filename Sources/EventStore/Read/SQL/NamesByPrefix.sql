-- The different values of a column that begin with $1, the first $2 in their order. The index is searched for the
-- next one from each that was found (PostgreSQL wiki, "Loose indexscan"), so that it costs as many steps as there are
-- names, however many events they have. {order} is COLLATE "C" where the index is in the order of bytes; {end} is then
-- the end of the range. In another order names with the same beginning lie near one another, and that must do.
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
