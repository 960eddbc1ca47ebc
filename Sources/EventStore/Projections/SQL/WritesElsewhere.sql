-- The relations of a read model, and the relations outside that this transaction may have changed: those that it has
-- locked in a mode that a change takes and keeps to the end of the transaction (manual, "Table-Level Locks").
-- $1 the schema of the read model, $2 its relations there as SQL, $3 whether the schema holds others too, $4 tables
-- that may be written to, as SQL. {defining}: whether to include functions, types and the like, and, as class 'there',
-- the numbers of all relations. If it is false, the planner leaves these out. The name is NULL after the object was
-- dropped. The state is the lock modes and how many rows the transaction has changed, so it differs after a change.
WITH locked AS (
  SELECT l.relation AS oid, string_agg(l.mode, ' ' ORDER BY l.mode) AS modes
  FROM pg_locks l
  WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted
    AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
    AND l.database IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
  GROUP BY l.relation
), named AS (
  SELECT c.oid, c.reltoastrelid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND (NOT $3 OR quote_ident(c.relname) = ANY ($2))
    OR c.oid IN (SELECT to_regclass(w.name)::oid FROM unnest($4::text[]) AS w (name))
), tables AS (
  SELECT oid FROM named UNION SELECT reltoastrelid FROM named WHERE reltoastrelid <> 0
), own AS (
  SELECT oid FROM tables
  -- Arrays, because PostgreSQL would expect many tables, and read these catalogues from end to end.
  UNION SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = ANY (ARRAY(SELECT oid FROM tables))
  UNION SELECT d.objid FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
          AND d.refobjid = ANY (ARRAY(SELECT oid FROM tables))
), made AS (
  SELECT 'pg_proc'::regclass AS class, oid, pronamespace AS schema, xmin AS writer FROM pg_proc WHERE {defining}
  UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace, xmin FROM pg_type WHERE {defining} AND typtype IN ('d', 'e', 'r')
  UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace, xmin FROM pg_operator WHERE {defining}
  UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace, xmin FROM pg_opclass WHERE {defining}
  UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace, xmin FROM pg_opfamily WHERE {defining}
  UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace, xmin FROM pg_conversion WHERE {defining}
  UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace, xmin FROM pg_ts_config WHERE {defining}
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace, xmin FROM pg_ts_dict WHERE {defining}
  UNION ALL SELECT 'pg_class'::regclass, oid, relnamespace, xmin FROM pg_class
  WHERE {defining} AND relkind NOT IN ('i', 'I', 't')
)
SELECT 'pg_class' AS class, o.oid::bigint AS number, true AS is_own, NULL AS name, NULL AS state FROM own o
UNION ALL
SELECT 'pg_class', l.oid::bigint, false, CASE WHEN c.oid IS NOT NULL THEN format('%I.%I', n.nspname, c.relname) END,
       concat_ws(' ', l.modes, pg_stat_get_xact_tuples_inserted(c.oid), pg_stat_get_xact_tuples_updated(c.oid),
                 pg_stat_get_xact_tuples_deleted(c.oid))
FROM locked l
LEFT JOIN pg_class c ON c.oid = l.oid
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
-- Indexes and TOAST tables are locked with their table. The lock of a comment is kept and does no harm; so is, since
-- PostgreSQL 17, the lock of an object that depends on a column whose type is changed. Reading large objects, as a
-- layout may, locks them as a change does (inv_api.c): what counts is whether any was changed.
WHERE l.oid NOT IN (SELECT o.oid FROM own o)
  AND (c.oid IS NULL
       OR c.relkind NOT IN ('i', 'I', 't') AND c.oid <> 'pg_catalog.pg_description'::regclass
          AND NOT ({defining} AND c.oid = 'pg_catalog.pg_depend'::regclass
                   AND current_setting('server_version_num')::integer >= 170000)
          AND (c.oid <> 'pg_catalog.pg_largeobject'::regclass
               OR pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid)
                    + pg_stat_get_xact_tuples_deleted(c.oid) > 0))
UNION ALL
-- A visible row whose writer is in progress was written by this transaction or one of its subtransactions.
SELECT 'catalog', m.oid::bigint, false, pg_describe_object(m.class, m.oid, 0), m.writer::text
FROM made m JOIN pg_namespace n ON n.oid = m.schema
WHERE n.nspname <> $1 AND m.oid NOT IN (SELECT o.oid FROM own o)
  AND age(m.writer) <= age((txid_current() & 4294967295)::text::xid)
  AND txid_status((txid_current() & ~4294967295) | m.writer::text::bigint) = 'in progress'
UNION ALL
SELECT 'there', c.oid::bigint, false, NULL, '' FROM pg_class c WHERE {defining}
