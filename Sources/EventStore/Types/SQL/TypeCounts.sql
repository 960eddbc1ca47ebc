-- Every event type with its count, and the positions and times of its first and last event. An index on
-- (event_type, position) answers this without the table.
SELECT c.event_type, c.events, c.first, c.last, {first_time} AS first_time, {last_time} AS last_time
FROM (
  SELECT e.event_type, count(*) AS events, {bounds}
  FROM {events} e WHERE {conditions} GROUP BY e.event_type
) AS c
ORDER BY c.events DESC, c.event_type
