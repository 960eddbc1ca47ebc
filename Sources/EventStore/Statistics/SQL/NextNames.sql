-- The different values of a column in a range, in the order of its index, which is searched for the next one from each that
-- was found (PostgreSQL wiki, "Loose indexscan"): as many steps as there are names, however many events they have.
-- {order} is the collation of that order; {limit} ends the search, as nothing else reads the names one by one.
WITH RECURSIVE names (name) AS (
  (SELECT e.{column}::text FROM {events} e WHERE {range} ORDER BY e.{column} {order} LIMIT 1)
  UNION ALL
  SELECT (SELECT e.{column}::text FROM {events} e WHERE e.{column} {order} > n.name AND {range}
          ORDER BY e.{column} {order} LIMIT 1)
  FROM names n WHERE n.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT {limit}
