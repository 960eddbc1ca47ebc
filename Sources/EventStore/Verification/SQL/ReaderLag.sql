-- As ReaderLags.sql, for one position $1: Citus has no subqueries that refer to a row of another table. One statement
-- for each reader costs a round trip for each.
SELECT l.lag_events, f.lag_seconds
FROM (
  SELECT count(*) AS lag_events
  FROM (SELECT e.position FROM {events} e WHERE e.position > $1 ORDER BY e.position LIMIT $2) AS b
) AS l CROSS JOIN (
  SELECT coalesce(max(least(1e12, greatest(0, extract(epoch FROM clock_timestamp()) - extract(epoch FROM o."timestamp")))), 0)::float8
           AS lag_seconds
  FROM (SELECT e."timestamp" FROM {events} e WHERE e.position > $1 ORDER BY e.position LIMIT 1) AS o
) AS f
