-- A column and its table, as SQL, if the column alone is a unique key of the whole table; otherwise no row.
-- $1 the table, $2 the number of the column. Tables that inherit from a table have keys of their own. A key of a
-- partitioned table includes the columns of the partitions. A boolean one is accepted (Marten has one for archived
-- events), because it does not make other numbers.
SELECT quote_ident(a.attname) AS "column", format('%I.%I', n.nspname, c.relname) AS "table"
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attrelid = $1::bigint::oid AND a.attnum = $2::bigint
  AND (c.relkind = 'p' OR c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid))
  AND EXISTS (
    SELECT FROM pg_index i
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND a.attnum = ANY (i.indkey)
      AND NOT EXISTS (
        SELECT FROM generate_series(0, i.indnkeyatts - 1) AS k
        LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid AND i.indkey[k] = ANY (p.partattrs)
        LEFT JOIN pg_attribute o ON o.attrelid = p.partrelid AND o.attnum = i.indkey[k]
        WHERE i.indkey[k] <> a.attnum AND o.atttypid IS DISTINCT FROM 'boolean'::regtype))
