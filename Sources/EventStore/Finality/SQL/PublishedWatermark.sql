-- The published watermark of store $1, its age, and whether the store still has the event that was there.
SELECT w.position, greatest(0, extract(epoch FROM clock_timestamp() - w.published_at))::float8 AS age_seconds,
       w.position IS NULL OR EXISTS (
         SELECT FROM {events} e WHERE e.position = w.position AND e.id IS NOT DISTINCT FROM w.event_id) AS is_there
FROM annals.watermarks w
WHERE w.store = $1::text
