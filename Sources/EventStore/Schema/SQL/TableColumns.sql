-- The columns of a table: name, type, and whether their values come from their own sequence, without a cache.
-- $1 schema, $2 table.
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type,
       coalesce((SELECT s.seqcache = 1 FROM pg_sequence s WHERE s.seqrelid =
         pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname)::regclass), false) AS is_counted
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
