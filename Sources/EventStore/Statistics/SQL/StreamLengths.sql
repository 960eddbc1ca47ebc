-- How many streams have how many events, by powers of two: power 3 is 8 to 15 events. An index on the aggregate answers
-- this without the table. The place of the first 1 among 64 bits is the exact logarithm.
SELECT l.power, count(*) AS streams, sum(l.events)::bigint AS events
FROM (
  SELECT 64 - position('1' IN count(*)::bit(64)::text) AS power, count(*) AS events
  FROM {events} e WHERE e.aggregate_id IS NOT NULL GROUP BY e.aggregate_id
) AS l
GROUP BY l.power ORDER BY l.power
