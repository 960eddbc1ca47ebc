-- Dead letters. $1 of which projection or checkpoint, $2 at which position, NULL for any; $3 whether to include settled
-- ones and those of generations that are not live.
SELECT d.projection, NULL::text AS checkpoint, d.generation, d.position, d.aggregate_id, d.version, d.event_type, d.attempts,
       d.sqlstate, d.message, d.detail, d.failed_at, d.state
FROM annals.dead_letters d JOIN annals.generations g ON g.projection = d.projection AND g.number = d.generation
WHERE d.projection = coalesce($1, d.projection) AND d.position = coalesce($2, d.position)
  AND ($3 OR d.state = 'parked' AND g.state = 'live')
UNION ALL
SELECT NULL, e.checkpoint, NULL, e.position, e.aggregate_id, e.version, e.event_type, e.attempts,
       NULL, e.message, NULL, e.failed_at, e.state
FROM annals.parked_events e
WHERE e.checkpoint = coalesce($1, e.checkpoint) AND e.position = coalesce($2, e.position) AND ($3 OR e.state = 'parked')
ORDER BY projection, checkpoint, position, generation
