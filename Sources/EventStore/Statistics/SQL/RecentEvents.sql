-- Estimates how many events are newer than some times. A binary search over positions finds the first such event, since
-- the order of positions is nearly the order of times. Few events are counted; more are estimated from their positions.
-- {hours} how long ago, {events_total} about how many events there are.
WITH RECURSIVE ends (first, last) AS (
  SELECT min(e.position)::numeric, max(e.position)::numeric FROM {events} e
),
search (hours, time, low, high) AS (
  SELECT h.hours, now() - make_interval(hours => h.hours), ends.first, ends.last
  FROM ends CROSS JOIN unnest({hours}) AS h (hours)
  UNION ALL
  SELECT s.hours, s.time, CASE WHEN m.time < s.time THEN m.position + 1 ELSE s.low END,
         CASE WHEN m.time < s.time THEN s.high ELSE m.middle - 1 END
  FROM search AS s CROSS JOIN LATERAL (
    SELECT h.middle, e.position::numeric AS position, {time} AS time
    FROM (SELECT floor((s.low + s.high) / 2) AS middle) AS h
    CROSS JOIN LATERAL (SELECT * FROM {events} e WHERE e.position >= h.middle::bigint ORDER BY e.position LIMIT 1) AS e
  ) AS m
  WHERE s.low <= s.high
)
SELECT DISTINCT ON (s.hours) s.hours, coalesce(few.events, round({total} * (ends.last - s.low + 1) / (ends.last - ends.first + 1)))::bigint AS events
FROM search AS s CROSS JOIN ends
CROSS JOIN LATERAL (
  SELECT nullif(count(*), {most} + 1) AS events
  FROM (SELECT FROM {events} e WHERE e.position >= least(s.low, ends.last)::bigint AND {time} >= s.time LIMIT {most} + 1) AS e
) AS few
WHERE s.low > s.high ORDER BY s.hours
