-- The totals of a scope, and how many of its streams need a closer look. {start} is the version that a
-- stream should begin with: the first, or its lowest one if it may begin later.
-- If n distinct versions have a lowest and a highest that are n - 1 apart, none is missing. The index on
-- (aggregate_id, version) answers this alone, without the table.
SELECT coalesce(sum(n), 0)::bigint AS events, count(*) AS aggregates,
       count(*) FILTER (WHERE n <> versions OR low <> start OR high <> start + n - 1) AS suspects,
       coalesce(sum(n) FILTER (WHERE aggregate_id IS NULL), 0)::bigint AS without_aggregate
FROM (
  SELECT aggregate_id, count(*) AS n, {versions} AS versions,
         {start} AS start, min(version)::bigint AS low, max(version)::bigint AS high
  FROM {events} e WHERE {scope} GROUP BY aggregate_id
) s
