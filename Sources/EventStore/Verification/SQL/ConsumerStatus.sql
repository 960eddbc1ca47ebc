-- How far each consumer of a replay is behind, and what it gave up on. $1 the store, $2 how many events are counted at most.
-- Times may be infinite, and JSON has no number for the seconds since then.
SELECT c.name, c.position, c.filter, c.moved_at,
       (SELECT count(*) FROM (SELECT FROM {events} e WHERE e.position > c.position ORDER BY e.position LIMIT $2) AS l) AS lag_events,
       coalesce((SELECT least(1e12, greatest(0, extract(epoch FROM clock_timestamp()) - extract(epoch FROM e."timestamp"))) FROM {events} e
                 WHERE e.position > c.position ORDER BY e.position LIMIT 1), 0)::float8 AS lag_seconds,
       (SELECT count(*) FROM annals.parked_events p WHERE p.checkpoint = c.name AND p.state = 'parked') AS dead_letters
FROM annals.checkpoints c
WHERE c.store = $1
ORDER BY c.name
