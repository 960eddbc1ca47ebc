-- Every event type with the positions and times of its first and last event, and how many events it has: as the statistics
-- tell for frequent types, and counted for the others. $1 schema, $2 table, $3 about how many events it has, $4 how many
-- events make a type a frequent one.
-- The index on (event_type, position) is searched for the next type from each that was found (PostgreSQL wiki, "Loose
-- indexscan"). Both columns are in each ORDER BY: to find the first event of one type, the planner might walk the positions.
WITH RECURSIVE types (name, first) AS (
  (SELECT e.event_type::text, e.position FROM {events} e ORDER BY e.event_type, e.position LIMIT 1)
  UNION ALL
  SELECT n.event_type, n.position FROM types t CROSS JOIN LATERAL (
    SELECT e.event_type::text, e.position FROM {events} e
    WHERE e.event_type > t.name ORDER BY e.event_type, e.position LIMIT 1
  ) AS n
),
frequent (name, events) AS (
  SELECT v.name, round(v.frequency * $3)::bigint
  FROM pg_stats s
  CROSS JOIN LATERAL unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS v (name, frequency)
  WHERE s.schemaname = $1 AND s.tablename = $2 AND s.attname = 'event_type' AND v.frequency * $3 >= $4
)
SELECT c.event_type, c.events, c.is_estimate, c.first, c.last, {first_time} AS first_time, {last_time} AS last_time
FROM (
  SELECT t.name AS event_type, f.events IS NOT NULL AS is_estimate, t.first,
         coalesce(f.events, (SELECT count(*) FROM {events} e WHERE e.event_type = t.name)) AS events,
         (SELECT e.position FROM {events} e
          WHERE e.event_type <= t.name ORDER BY e.event_type DESC, e.position DESC LIMIT 1) AS last
  FROM types t LEFT JOIN frequent f ON f.name = t.name
) AS c
ORDER BY c.events DESC, c.event_type
