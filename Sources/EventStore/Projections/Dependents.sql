-- What outside a read model hangs on its live tables, and would follow the old ones when they move away.
-- $1 schema, $2 names of the read model's relations in it.
WITH live AS (
  SELECT c.oid FROM pg_class c
  WHERE c.relnamespace = to_regnamespace($1) AND quote_ident(c.relname) = ANY ($2)
)
SELECT DISTINCT pg_describe_object('pg_class'::regclass, r.ev_class, 0)
FROM live
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = live.oid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite r ON r.oid = d.objid
WHERE r.ev_class NOT IN (SELECT oid FROM live)
UNION
SELECT format('foreign key %s of table %s', quote_ident(f.conname), f.conrelid::regclass)
FROM pg_constraint f JOIN live ON f.confrelid = live.oid
WHERE f.contype = 'f' AND f.conrelid NOT IN (SELECT oid FROM live)
ORDER BY 1
