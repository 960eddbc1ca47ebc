-- The totals of a store: one pass over its events, and one over each index with the streams and the types.
SELECT s.events, s.first_time, s.last_time, s.last_hour, s.last_day, s.last_week,
       (SELECT count(*) FROM (SELECT FROM {events} e WHERE e.aggregate_id IS NOT NULL GROUP BY e.aggregate_id) AS a) AS streams,
       (SELECT count(*) FROM (SELECT FROM {events} e GROUP BY e.event_type) AS t) AS types
FROM (
  SELECT count(*) AS events, {times},
         count(*) FILTER (WHERE {time} >= now() - interval '1 hour') AS last_hour,
         count(*) FILTER (WHERE {time} >= now() - interval '24 hours') AS last_day,
         count(*) FILTER (WHERE {time} >= now() - interval '168 hours') AS last_week
  FROM {events} e
) AS s
