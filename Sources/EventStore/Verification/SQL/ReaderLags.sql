-- How many events come after each position of $1, and how many seconds ago the first of them happened, in that order.
-- $2 how many events are counted at most (ORDER BY keeps the planner, which does not know the position, on the index).
-- Times may be infinite, and JSON has no number for that.
SELECT (SELECT count(*) FROM (SELECT FROM {events} e WHERE e.position > p.position ORDER BY e.position LIMIT $2) AS l) AS lag_events,
       coalesce((SELECT least(1e12, greatest(0, extract(epoch FROM clock_timestamp()) - extract(epoch FROM e."timestamp"))) FROM {events} e
                 WHERE e.position > p.position ORDER BY e.position LIMIT 1), 0)::float8 AS lag_seconds
FROM unnest($1) WITH ORDINALITY AS p (position, place)
ORDER BY p.place
