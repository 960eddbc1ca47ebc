-- Publishes that store $1 is final up to position $2, or that it was empty if no event has that position. When two
-- publish at once, the later position stays, unless its event is gone: then the store was restored to an earlier state.
INSERT INTO annals.watermarks AS w (store, position, event_id, published_at)
SELECT $1::text, e.position, e.id, clock_timestamp()
FROM (SELECT) AS one
LEFT JOIN LATERAL (SELECT e.position, e.id FROM {events} e WHERE e.position = $2::bigint LIMIT 1) AS e ON true
ON CONFLICT (store) DO UPDATE
SET position = excluded.position, event_id = excluded.event_id, published_at = excluded.published_at
WHERE w.position IS NULL OR w.position <= excluded.position OR NOT EXISTS (
  SELECT FROM {events} e WHERE e.position = w.position AND e.id IS NOT DISTINCT FROM w.event_id)
