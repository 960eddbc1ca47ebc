-- What the live tables have and the tables of the same name in another schema lack: constraints, indexes, statistics
-- objects, triggers and rules. They are matched by name, and an index also by what it indexes.
-- $1 live schema, also the search path, so that its objects are named without it; $2 the other schema.
WITH pairs AS (
  SELECT live.oid AS live, other.oid AS other, live.relname, live.relkind,
         format('%I.%I', $1, live.relname) AS live_name, format('%I.%I', $2, live.relname) AS name
  FROM pg_class live
  JOIN pg_class other ON other.relname = live.relname AND other.relkind = live.relkind
    AND other.relnamespace = to_regnamespace(quote_ident($2))
  WHERE live.relnamespace = to_regnamespace(quote_ident($1)) AND live.relkind IN ('r', 'p', 'm', 'f')
), columns AS (
  SELECT pairs.*, l.attname, l.attnotnull AND NOT o.attnotnull AS is_strict, l.attstattarget,
         coalesce(l.attstattarget, -1) <> -1 AND coalesce(o.attstattarget, -1) = -1 AS has_target
  FROM pairs
  JOIN pg_attribute l ON l.attrelid = live AND l.attnum > 0 AND NOT l.attisdropped AND l.attinhcount = 0
  JOIN pg_attribute o ON o.attrelid = other AND o.attname = l.attname AND NOT o.attisdropped
), constraints AS (
  SELECT pairs.*, c.*, pg_get_constraintdef(c.oid) AS definition
  FROM pairs JOIN pg_constraint c ON c.conrelid = live AND c.contype IN ('p', 'u', 'x', 'c', 'f')
  WHERE c.coninhcount = 0 AND c.conparentid = 0
    AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = other AND o.conname = c.conname)
), indexes AS (
  SELECT pairs.*, c.relname AS index_name, pg_get_indexdef(i.indexrelid) AS definition,
         format('CREATE %sINDEX %I ON ', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname) AS beginning,
         length(CASE c.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END) + length(live_name) AS table_length
  FROM pairs JOIN pg_index i ON i.indrelid = live JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indisvalid AND NOT c.relispartition
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
), new_indexes AS (
  SELECT pairs.name, c.relname AS index_name, substr(pg_get_indexdef(c.oid), length(
           format('CREATE %sINDEX %I ON %s%s', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname,
                  CASE c.relkind WHEN 'I' THEN 'ONLY ' END, name)) + 1) AS rest, i.indisunique
  FROM pairs JOIN pg_index i ON i.indrelid = other JOIN pg_class c ON c.oid = i.indexrelid
), triggers AS (
  SELECT pairs.*, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid) AS definition,
         length(format('CREATE %sTRIGGER %I', CASE WHEN t.tgconstraint <> 0 THEN 'CONSTRAINT ' END, t.tgname)) AS skipped
  FROM pairs JOIN pg_trigger t ON t.tgrelid = live AND NOT t.tgisinternal AND t.tgparentid = 0
  WHERE NOT EXISTS (SELECT FROM pg_trigger o WHERE o.tgrelid = other AND o.tgname = t.tgname)
), additions (step, kind, item, relname, statement) AS (
  SELECT CASE contype WHEN 'f' THEN 4 ELSE 2 END, 'constraint', quote_ident(conname), relname,
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, definition)
  FROM constraints
  UNION ALL
  SELECT 1, 'NOT NULL of column', quote_ident(attname), relname,
         format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', name, attname)
  FROM columns WHERE is_strict
    AND NOT EXISTS (SELECT FROM constraints k WHERE k.live = columns.live AND k.contype = 'p')
  UNION ALL
  SELECT 1, 'statistics target of column', quote_ident(attname), relname,
         format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', name, attname, attstattarget)
  FROM columns WHERE has_target
  UNION ALL
  SELECT 3, 'index', quote_ident(index_name), relname,
         beginning || name || substr(definition, length(beginning) + table_length + 1)
  FROM indexes
  WHERE NOT EXISTS (
    SELECT FROM new_indexes n WHERE n.name = indexes.name AND (n.index_name = indexes.index_name
      OR n.indisunique = (beginning LIKE 'CREATE UNIQUE %')
         AND n.rest = substr(definition, length(beginning) + table_length + 1)))
  UNION ALL
  SELECT 5, 'statistics', quote_ident(s.stxname), relname,
         format('CREATE STATISTICS %I.%I', $2, s.stxname) || substr(pg_get_statisticsobjdef(s.oid),
           length(format('CREATE STATISTICS %I.%I', s.stxnamespace::regnamespace::name, s.stxname)) + 1)
  FROM pairs JOIN pg_statistic_ext s ON s.stxrelid = live
  WHERE NOT EXISTS (SELECT FROM pg_statistic_ext o WHERE o.stxrelid = other AND o.stxname = s.stxname)
  UNION ALL
  SELECT 6, 'trigger', quote_ident(tgname), relname,
         left(definition, skipped) || overlay(rest PLACING format(' ON %s ', name)
           FROM strpos(rest, format(' ON %s ', live_name)) FOR length(live_name) + 5)
         || CASE tgenabled WHEN 'O' THEN '' ELSE format('; ALTER TABLE %s %s TRIGGER %I', name, CASE tgenabled
              WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname) END
  FROM triggers, substr(definition, skipped + 1) AS rest
  UNION ALL
  SELECT 7, 'rule', quote_ident(r.rulename), relname, NULL
  FROM pairs JOIN pg_rewrite r ON r.ev_class = live AND r.rulename <> '_RETURN'
  WHERE NOT EXISTS (SELECT FROM pg_rewrite o WHERE o.ev_class = other AND o.rulename = r.rulename)
)
SELECT format('%s %s on table %I', kind, item, relname) AS description, statement, step = 6 AS is_trigger
FROM additions ORDER BY step, 1
