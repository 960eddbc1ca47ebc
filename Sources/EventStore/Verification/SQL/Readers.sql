-- What the readers of a store have met, if known: projections by their generation, replays by their checkpoint with its
-- selection; and the number of events with the sum of their hashes. $1 the store.
SELECT g.projection, g.number AS generation, NULL::text AS checkpoint, NULL::text AS aggregate_id,
       NULL::text AS category, NULL::text AS event_types, g.position, g.seen_events, g.seen_hash
FROM annals.generations g JOIN annals.projections p ON p.name = g.projection
WHERE p.store = $1 AND g.state = 'live' AND g.seen_hash IS NOT NULL
UNION ALL
SELECT NULL, NULL, c.name, c.aggregate_id, c.category, to_jsonb(c.event_types)::text, c.position, c.seen_events, c.seen_hash
FROM annals.checkpoints c WHERE c.store = $1 AND c.seen_hash IS NOT NULL
ORDER BY 1, 3
