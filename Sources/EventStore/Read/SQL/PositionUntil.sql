-- The position of the last event until a time, by binary search: the order of positions is roughly the order of times,
-- and an index finds the first event from a position on. Each step halves what is left, so at most about 64 events are
-- read. If times go backwards, the result is one of the places where an event until the time comes before a later
-- event.
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
