-- Every event type with its count, and the positions of its first and last event. An index on (event_type, position)
-- answers this without the table.
SELECT e.event_type, count(*) AS events, {bounds}
FROM {events} e WHERE {conditions} GROUP BY e.event_type
ORDER BY 2 DESC, 1
