-- What the catalogue says against continuing from a position, as (fault, subject, detail). Fault 'sequence' names the
-- sequence that assigns the positions, and whether the role may read it. Everybody may read these catalogues.
-- $1 the schemas and $2 the names of the tables of events. For a layout, $3 and $4 are the table and the number of the
-- column that it shows as position, 0 for a computed one; NULL for annals' own table.
WITH RECURSIVE named AS (
  SELECT c.oid, $3::bigint IS NULL OR c.oid = $3::bigint::oid AS has_positions
  FROM unnest($1::text[], $2::text[]) AS t (schema, name)
  JOIN pg_namespace n ON n.nspname = t.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
), above AS (
  SELECT oid, has_positions FROM named
  UNION SELECT i.inhparent, has_positions FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid
), tree AS (
  SELECT oid, has_positions FROM above
  UNION SELECT i.inhrelid, has_positions FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
), parts AS (
  SELECT c.oid, t.has_positions, format('%I.%I', n.nspname, c.relname) AS name, c.relkind, c.relispartition
  FROM (SELECT oid, bool_or(has_positions) AS has_positions FROM tree GROUP BY oid) AS t
  JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
), columns AS (
  SELECT p.*, a.attnum, a.attname, a.attidentity <> '' AS is_identity, d.oid AS default_oid,
         pg_get_expr(d.adbin, d.adrelid) AS expression
  FROM parts p
  JOIN pg_attribute a ON a.attrelid = p.oid AND NOT a.attisdropped AND a.attname = CASE WHEN $3 IS NULL THEN 'position'
    ELSE (SELECT o.attname FROM pg_attribute o WHERE o.attrelid = $3::bigint::oid AND o.attnum = $4::integer) END
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE p.has_positions
), sources AS (
  -- An identity's sequence depends on its column, a default on the sequence that it names.
  SELECT c.oid, s.seqrelid FROM columns c
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = c.oid AND d.refobjsubid = c.attnum AND d.deptype = 'i'
  JOIN pg_sequence s ON s.seqrelid = d.objid
  WHERE c.is_identity
  UNION
  SELECT c.oid, s.seqrelid FROM columns c
  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = c.default_oid
    AND d.refclassid = 'pg_class'::regclass
  JOIN pg_sequence s ON s.seqrelid = d.refobjid
  WHERE c.expression ~ '^(pg_catalog\.)?nextval\(''([^'']|'''')*''::regclass\)$'
), sequences AS (
  SELECT s.seqrelid, format('%I.%I', n.nspname, c.relname) AS name, s.seqcache, s.seqincrement, s.seqcycle
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE s.seqrelid IN (SELECT seqrelid FROM sources)
)
-- If Citus is installed, its own catalogue says which tables it manages.
SELECT 0 AS rank, 'citus' AS fault, name AS subject, oid::text AS detail FROM parts
WHERE relkind IN ('r', 'p') AND to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL
UNION ALL
SELECT 1, 'view', name, relkind::text FROM parts WHERE relkind NOT IN ('r', 'p')
UNION ALL
SELECT 2, 'subscription', p.name, NULL FROM parts p
WHERE EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srrelid = p.oid)
UNION ALL
-- Rows reach a partition through its parent, which has the default.
SELECT 3, 'source', c.name, c.attname::text FROM columns c
WHERE c.relkind IN ('r', 'p') AND (NOT c.relispartition OR c.expression IS NOT NULL)
  AND NOT EXISTS (SELECT FROM sources s WHERE s.oid = c.oid)
UNION ALL
SELECT 3, 'computed', min(p.name), NULL FROM parts p HAVING NOT bool_or(p.has_positions)
UNION ALL
SELECT 4, 'sources', string_agg(name, ', ' ORDER BY name), NULL FROM sequences HAVING count(*) > 1
UNION ALL
SELECT 5, 'cache', name, seqcache::text FROM sequences WHERE seqcache > 1
UNION ALL
SELECT 6, 'descending', name, seqincrement::text FROM sequences WHERE seqincrement < 0
UNION ALL
SELECT 7, 'cycle', name, NULL FROM sequences WHERE seqcycle
UNION ALL
SELECT 8, 'sequence', name, (has_sequence_privilege(seqrelid, 'SELECT')
  AND (SELECT bool_and(has_any_column_privilege(oid, 'SELECT')) FROM named))::text FROM sequences
ORDER BY 1, 3
