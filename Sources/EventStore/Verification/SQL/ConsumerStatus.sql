-- The consumers of replays, and how many events each gave up on. $1 the store.
SELECT c.name, c.position, c.filter, c.moved_at,
       (SELECT count(*) FROM annals.parked_events p WHERE p.checkpoint = c.name AND p.state = 'parked') AS dead_letters
FROM annals.checkpoints c
WHERE c.store = $1
ORDER BY c.name
