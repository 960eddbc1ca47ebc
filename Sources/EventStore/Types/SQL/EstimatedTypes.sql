-- Every event type with the positions and times of its first and last event, and its number of events: from the
-- statistics for frequent types, counted for others. $1 schema, $2 table, $3 about how many events it has, $4 how many
-- events make a type a frequent one.
-- Each step searches the index on (event_type, position) for the next type (PostgreSQL wiki, "Loose indexscan"). Each
-- ORDER BY has both columns: otherwise the planner might walk the positions to find the first event of a type.
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
