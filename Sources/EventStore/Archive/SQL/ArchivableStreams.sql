-- The streams of {names} to archive, with the last version to archive of each. {last} is that version by the event `e`, the
-- last one of the stream; {conditions} hold for that event. A stream without events has none.
SELECT e.aggregate_id::text AS aggregate_id, t.last
FROM unnest({names}) WITH ORDINALITY AS n (name, place) CROSS JOIN LATERAL (
  SELECT e.* FROM {events} e WHERE e.aggregate_id = n.name AND e.version IS NOT NULL ORDER BY e.version DESC LIMIT 1
) AS e CROSS JOIN LATERAL (SELECT {last} AS last) AS t
WHERE t.last IS NOT NULL AND {conditions}
ORDER BY n.place
