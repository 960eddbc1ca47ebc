-- How many streams and events each category has. An index on the aggregate answers this without the table.
SELECT s.category, sum(s.events)::bigint AS events, count(*) AS streams, false AS is_estimate
FROM (
  SELECT {category} AS category, e.aggregate_id, count(*) AS events
  FROM {events} e WHERE {conditions} GROUP BY 1, 2
) AS s
WHERE {named} GROUP BY s.category ORDER BY {order}
