-- The columns of a unique index in order, as one text. $1 schema, $2 index
SELECT string_agg(a.attname, ',' ORDER BY a.attnum)
FROM pg_class AS c
JOIN pg_namespace AS s ON s.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE s.nspname = $1 AND c.relname = $2 AND c.relkind IN ('i', 'I')
HAVING count(*) > 0
