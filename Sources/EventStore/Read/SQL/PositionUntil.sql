-- The position of the last event until a time, found by halves: events come in the order of their positions roughly as in
-- that of their times, and an index finds the first event from a position on. What is left is halved each time, so that
-- some 64 events are read at most, however many there are. Where times go backwards, it is one of the places where an event
-- until the time is before a later one.
WITH RECURSIVE search (found, low, high) AS (
  SELECT NULL::bigint, min(e.position)::numeric, max(e.position)::numeric FROM {events} e
  UNION ALL
  SELECT CASE WHEN c.is_until THEN c.position ELSE s.found END,
         CASE WHEN c.is_until THEN c.position::numeric + 1 ELSE s.low END,
         CASE WHEN c.is_until THEN s.high ELSE m.middle - 1 END
  FROM search s
  CROSS JOIN LATERAL (SELECT floor((s.low + s.high) / 2)) AS m (middle)
  LEFT JOIN LATERAL (
    SELECT e.position, e."timestamp" <= {time} AS is_until FROM {events} e
    WHERE e.position >= m.middle::bigint AND e.position <= s.high::bigint ORDER BY e.position LIMIT 1
  ) AS c ON true
  WHERE s.low <= s.high
)
SELECT max(found) FROM search
