-- For each table that both schemas have: a query that counts its rows and the differences, and shows five of them.
-- Rows are matched by primary key, and without one as wholes; columns that only one side has do not count.
-- $1 schema of the new tables, $2 schema of the live ones.
WITH tables AS (
  SELECT new.relname, new.oid AS new, live.oid AS live,
         format('%I.%I', $1, new.relname) AS new_name, format('%I.%I', $2, live.relname) AS live_name
  FROM pg_class new JOIN pg_class live ON live.relname = new.relname
  WHERE new.relnamespace = to_regnamespace(quote_ident($1)) AND live.relnamespace = to_regnamespace(quote_ident($2))
    AND new.relkind IN ('r', 'p') AND live.relkind IN ('r', 'p') AND NOT new.relispartition
), columns AS (
  SELECT t.relname,
         jsonb_agg(quote_ident(a.attname) ORDER BY a.attnum) AS names,
         string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) AS list,
         -- Types without equality are compared as text.
         string_agg(format('new.%1$I%2$s IS DISTINCT FROM live.%1$I%2$s', a.attname,
           CASE WHEN a.atttypid IN (SELECT oprleft FROM pg_operator WHERE oprname = '=' AND oprleft = oprright) OR y.typtype = 'e' OR y.typelem <> 0
                THEN '' ELSE '::text' END), ' OR ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (coalesce(k.conkey, '{}'))) AS distinct_values,
         string_agg(format('new.%1$I = live.%1$I', a.attname), ' AND ' ORDER BY a.attnum)
           FILTER (WHERE a.attnum = ANY (k.conkey)) AS same_key,
         min(quote_ident(a.attname)) FILTER (WHERE a.attnum = ANY (k.conkey)) AS key_column
  FROM tables t
  JOIN pg_attribute a ON a.attrelid = t.new AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type y ON y.oid = a.atttypid
  JOIN pg_attribute b ON b.attrelid = t.live AND b.attname = a.attname AND NOT b.attisdropped AND b.atttypid = a.atttypid
  LEFT JOIN pg_constraint k ON k.conrelid = t.new AND k.contype = 'p'
  GROUP BY t.relname
)
SELECT t.relname::text AS name, CASE WHEN c.key_column IS NOT NULL THEN format($query$
  WITH pairs AS (
    SELECT to_jsonb(live) AS live, to_jsonb(new) AS new,
           CASE WHEN live.%1$s IS NULL THEN 'added' WHEN new.%1$s IS NULL THEN 'removed' ELSE 'changed' END AS change
    FROM %2$s AS new FULL JOIN %3$s AS live ON %4$s
    WHERE new.%1$s IS NULL OR live.%1$s IS NULL OR (%5$s)
  )
  SELECT (SELECT count(*) FROM %3$s) AS live_rows, count(*) FILTER (WHERE change = 'added') AS added,
         count(*) FILTER (WHERE change = 'removed') AS removed, count(*) FILTER (WHERE change = 'changed') AS changed,
         (SELECT string_agg(jsonb_strip_nulls(jsonb_build_object('change', change, 'live', live, 'new', new))::text, E'\n')
          FROM (SELECT * FROM pairs ORDER BY coalesce(new, live) LIMIT 5) AS sample) AS samples
  FROM pairs $query$, c.key_column, t.new_name, t.live_name, c.same_key, coalesce(c.distinct_values, 'false'))
ELSE format($query$
  WITH new AS (SELECT to_jsonb(r) AS row FROM (SELECT %1$s FROM %2$s) AS r),
       live AS (SELECT to_jsonb(r) AS row FROM (SELECT %1$s FROM %3$s) AS r),
       pairs AS (SELECT 'added' AS change, row FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM live) AS a
                 UNION ALL SELECT 'removed', row FROM (SELECT * FROM live EXCEPT ALL SELECT * FROM new) AS b)
  SELECT (SELECT count(*) FROM live) AS live_rows, count(*) FILTER (WHERE change = 'added') AS added,
         count(*) FILTER (WHERE change = 'removed') AS removed, 0::bigint AS changed,
         (SELECT string_agg(jsonb_build_object('change', change, CASE change WHEN 'added' THEN 'new' ELSE 'live' END, row)::text, E'\n')
          FROM (SELECT * FROM pairs ORDER BY row LIMIT 5) AS sample) AS samples
  FROM pairs $query$, c.list, t.new_name, t.live_name)
END AS query
FROM tables t JOIN columns c USING (relname) ORDER BY 1
