-- The different values of a column in a range, in the order of its index. Each step searches the index for the value
-- after the last one (PostgreSQL wiki, "Loose indexscan"): a step for each name, however many events have it.
-- {order} is the collation of that order; {limit} ends the search, since nothing else reads the names one by one.
WITH RECURSIVE names (name) AS (
  (SELECT e.{column}::text FROM {events} e WHERE {range} ORDER BY e.{column} {order} LIMIT 1)
  UNION ALL
  SELECT (SELECT e.{column}::text FROM {events} e WHERE e.{column} {order} > n.name AND {range}
          ORDER BY e.{column} {order} LIMIT 1)
  FROM names n WHERE n.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT {limit}
