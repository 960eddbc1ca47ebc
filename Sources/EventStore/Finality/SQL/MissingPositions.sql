-- Ranges of positions that no event has, above {start} and up to {end}.
SELECT previous + 1 AS first, position - 1 AS last
FROM (
  SELECT position, lag(position, 1, {start}::bigint) OVER (ORDER BY position) AS previous
  FROM {positions} AS e
  WHERE position > {start}::bigint AND position <= {end}::bigint
) AS x
WHERE position > previous + 1
