-- For each table of either generation: a query that counts its rows and the differences, and shows five of them.
-- Rows are the same if their texts are: a type made in @create is another type on each side, and "=" finds boxes of the
-- same area equal, and 1.0 and 1.00. Rows are matched by primary key if both sides have the same one; otherwise whole
-- rows are matched. A column that only one side has makes every row differ.
-- $1 schema of the new tables, $2 schema of the live ones, $3 the objects of the live generation, as KIND name.
WITH relations AS (
  SELECT c.oid, c.relname, n.nspname = $1 AS is_new, format('%I.%I', n.nspname, c.relname) AS name,
         (SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_constraint k
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
          WHERE k.conrelid = c.oid AND k.contype = 'p') AS key
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
    AND (n.nspname = $1 OR n.nspname = $2 AND format('%s %I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, c.relname) = ANY ($3))
), tables AS (
  SELECT relname, new.oid AS new, live.oid AS live, new.name AS new_name, live.name AS live_name,
         CASE WHEN new.key = live.key THEN new.key END AS key
  FROM (SELECT * FROM relations WHERE is_new) AS new
  FULL JOIN (SELECT * FROM relations WHERE NOT is_new) AS live USING (relname)
), columns AS (
  SELECT t.relname,
         string_agg(format('new.%1$I::text COLLATE "C" = live.%1$I::text COLLATE "C"', attname), ' AND ')
           FILTER (WHERE attname = ANY (t.key)) AS same_key,
         string_agg(format('new.%I', attname), ', ' ORDER BY attname) FILTER (WHERE is_new) AS new_row,
         string_agg(format('live.%I', attname), ', ' ORDER BY attname) FILTER (WHERE is_live) AS live_row,
         bool_and(is_same_type) AS have_same_types,
         string_agg(attname, E'\n' ORDER BY attname) FILTER (WHERE (NOT is_new OR NOT is_live) AND t.new IS NOT NULL AND t.live IS NOT NULL) AS lone
  FROM tables t CROSS JOIN LATERAL (
    SELECT a.attname, count(*) = 2 AND min(a.atttypid) = max(a.atttypid) AS is_same_type,
           coalesce(bool_or(a.attrelid = t.new), false) AS is_new, coalesce(bool_or(a.attrelid = t.live), false) AS is_live
    FROM pg_attribute a WHERE a.attrelid IN (t.new, t.live) AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY a.attname
  ) AS a
  GROUP BY t.relname
)
SELECT t.relname::text AS name, c.lone AS lone_columns, CASE WHEN t.key IS NOT NULL THEN format($query$
  WITH pairs AS (
    SELECT to_jsonb(live.*) AS live, to_jsonb(new.*) AS new,
           CASE WHEN live.ctid IS NULL THEN 'added' WHEN new.ctid IS NULL THEN 'removed' ELSE 'changed' END AS change
    FROM %1$s AS new FULL JOIN %2$s AS live ON %3$s
    WHERE new.ctid IS NULL OR live.ctid IS NULL OR %4$s
  )
  SELECT (SELECT count(*) FROM %2$s) AS live_rows, count(*) FILTER (WHERE change = 'added') AS added,
         count(*) FILTER (WHERE change = 'removed') AS removed, count(*) FILTER (WHERE change = 'changed') AS changed,
         (SELECT string_agg(jsonb_strip_nulls(jsonb_build_object('change', change, 'live', live, 'new', new))::text, E'\n')
          FROM (SELECT * FROM pairs ORDER BY coalesce(new, live) LIMIT 5) AS sample) AS samples
  FROM pairs $query$, t.new_name, t.live_name, c.same_key,
    CASE WHEN c.lone IS NOT NULL THEN 'true' ELSE concat(
      -- The same bytes of the same types have the same text: not making the text is twice as fast.
      CASE WHEN c.have_same_types THEN format('NOT record_image_eq(ROW(%s), ROW(%s)) AND ', c.new_row, c.live_row) END,
      format('ROW(%s)::text COLLATE "C" <> ROW(%s)::text COLLATE "C"', c.new_row, c.live_row)) END)
ELSE format($query$
  WITH rows AS (%1$s),
       differing AS (SELECT sum(side) AS surplus, min(row COLLATE "C")::jsonb AS row FROM rows GROUP BY image HAVING sum(side) <> 0)
  SELECT (SELECT count(*) FROM rows WHERE side < 0) AS live_rows, coalesce(sum(surplus) FILTER (WHERE surplus > 0), 0)::bigint AS added,
         coalesce(-sum(surplus) FILTER (WHERE surplus < 0), 0)::bigint AS removed, 0::bigint AS changed,
         (SELECT string_agg(CASE WHEN surplus > 0 THEN jsonb_build_object('change', 'added', 'new', row)
                                 ELSE jsonb_build_object('change', 'removed', 'live', row) END::text, E'\n')
          FROM (SELECT * FROM differing ORDER BY row LIMIT 5) AS sample) AS samples
  FROM differing $query$, concat_ws(' UNION ALL ',
    -- Rows with equal values differ if their columns have other names.
    CASE WHEN t.new IS NOT NULL THEN format('SELECT 1 AS side, ROW(%s%s)::text COLLATE "C" AS image, to_jsonb(new.*)::text AS row FROM %s AS new',
           CASE WHEN c.lone IS NOT NULL THEN '''new'', ' END, c.new_row, t.new_name) END,
    CASE WHEN t.live IS NOT NULL THEN format('SELECT -1 AS side, ROW(%s%s)::text COLLATE "C" AS image, to_jsonb(live.*)::text AS row FROM %s AS live',
           CASE WHEN c.lone IS NOT NULL THEN '''live'', ' END, c.live_row, t.live_name) END))
END AS query
FROM tables t JOIN columns c USING (relname) ORDER BY 1
