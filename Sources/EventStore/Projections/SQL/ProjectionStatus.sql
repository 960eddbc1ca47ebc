-- $1 the store, $2 a projection or NULL for all, $3 whether rows may be counted. estimated_rows is the planner's
-- estimate for large tables and for tables that the role may not read whole, NULL if there is no estimate;
-- counting_query counts the other tables. A build that workers share has the lowest position of its shards.
SELECT g.projection AS name, g.number AS generation, g.version,
       CASE WHEN g.error->>'code' = 'invalidDefinition' AND g.state = 'live' THEN 'stale'
            WHEN g.error IS NOT NULL AND g.state <> 'retired' THEN 'failed'
            WHEN g.state = 'live' AND p.is_paused THEN 'paused' ELSE g.state END AS state,
       g.state = 'live' AS is_live, b.position,
       CASE WHEN t.is_unknown THEN NULL ELSE coalesce(t.estimate, 0) END AS estimated_rows,
       coalesce(t.query, '') AS counting_query,
       b.events,
       (SELECT count(*) FROM annals.dead_letters d
        WHERE d.projection = g.projection AND d.generation = g.number AND d.state = 'parked') AS dead_letters,
       g.error->>'message' AS error, g.moved_at, to_json(g.upcasters)::text AS upcasters, g.definition
FROM annals.projections p
JOIN annals.generations g ON g.projection = p.name
CROSS JOIN LATERAL (
  SELECT coalesce(min(s.position), g.position) AS position, (g.events + coalesce(sum(s.events), 0))::bigint AS events
  FROM annals.shards s WHERE s.projection = g.projection AND s.generation = g.number
) AS b
CROSS JOIN LATERAL (
  SELECT bool_or(NOT r.is_counted AND r.is_unknown) AS is_unknown,
         sum(greatest(r.reltuples, 0)) FILTER (WHERE NOT r.is_counted)::bigint AS estimate,
         string_agg(format('SELECT count(*) FROM %s', r.oid::regclass), ' UNION ALL ') FILTER (WHERE r.is_counted) AS query
  FROM (
    SELECT c.oid, c.reltuples,
           $3 AND pg_relation_size(c.oid) < 67108864 AND has_schema_privilege(c.relnamespace, 'USAGE')
             AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid) AS is_counted,
           -- A table that was never analyzed has no estimate: reltuples is -1, and 0 before PostgreSQL 14.
           c.reltuples < 0 AND (c.relkind = 'p' OR pg_relation_size(c.oid) > 0)
             OR c.reltuples = 0 AND pg_relation_size(c.oid) > 0 AND current_setting('server_version_num')::int < 140000
             AS is_unknown
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND CASE g.state WHEN 'live'
          THEN c.relnamespace = to_regnamespace(quote_ident(p.live_schema)) AND 'TABLE ' || quote_ident(c.relname) = ANY (g.objects)
          ELSE c.relnamespace = to_regnamespace(quote_ident(g.schema_name)) END
  ) AS r
) AS t
WHERE p.store = $1 AND p.name = coalesce($2, p.name) AND (g.state <> 'retired' OR $2 IS NOT NULL)
ORDER BY g.projection, g.state <> 'live', g.number DESC
