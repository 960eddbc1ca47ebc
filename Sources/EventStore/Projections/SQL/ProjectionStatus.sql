-- $1 the store, $2 a projection or NULL for all. Column 8 is the planner's estimate of the rows of large tables,
-- column 9 a query that counts the small ones. A build that workers share is where its last shard is.
SELECT g.projection, g.number, g.version,
       CASE WHEN g.error->>'code' = 'invalidDefinition' AND g.state = 'live' THEN 'stale'
            WHEN g.error IS NOT NULL AND g.state <> 'retired' THEN 'failed'
            WHEN g.state = 'live' AND p.is_paused THEN 'paused' ELSE g.state END,
       b.position,
       (SELECT count(*) FROM {events} e WHERE e.position > b.position),
       coalesce((SELECT greatest(0, extract(epoch FROM clock_timestamp() - e."timestamp")) FROM {events} e
                 WHERE e.position > b.position ORDER BY e.position LIMIT 1), 0)::float8,
       coalesce(t.estimate, 0), coalesce(t.query, ''),
       b.events,
       (SELECT count(*) FROM annals.dead_letters d
        WHERE d.projection = g.projection AND d.generation = g.number AND d.state = 'parked'),
       g.error->>'message',
       (extract(epoch FROM g.moved_at - '2000-01-01 00:00:00+00'::timestamptz) * 1000000)::bigint
FROM annals.projections p
JOIN annals.generations g ON g.projection = p.name
CROSS JOIN LATERAL (
  SELECT coalesce(min(s.position), g.position) AS position, (g.events + coalesce(sum(s.events), 0))::bigint AS events
  FROM annals.shards s WHERE s.projection = g.projection AND s.generation = g.number
) AS b
CROSS JOIN LATERAL (
  SELECT sum(greatest(c.reltuples, 0)) FILTER (WHERE pg_relation_size(c.oid) >= 67108864)::bigint AS estimate,
         string_agg(format('SELECT count(*) FROM %s', c.oid::regclass), ' UNION ALL ')
           FILTER (WHERE pg_relation_size(c.oid) < 67108864) AS query
  FROM pg_class c
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND CASE g.state WHEN 'live'
        THEN c.relnamespace = to_regnamespace(quote_ident(p.live_schema)) AND 'TABLE ' || quote_ident(c.relname) = ANY (g.objects)
        ELSE c.relnamespace = to_regnamespace(quote_ident(g.schema_name)) END
) AS t
WHERE p.store = $1 AND p.name = coalesce($2, p.name) AND (g.state <> 'retired' OR $2 IS NOT NULL)
ORDER BY g.projection, g.state <> 'live', g.number DESC
