-- The columns of a table by name and type, and whether the database has Citus; no rows when the table does not exist.
-- $1 schema, $2 table.
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type,
       to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL AS has_citus
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
