-- Objects in the live schema that have a name which the new read model needs, and do not belong to the live read model.
-- $1 schema of the new tables, $2 live schema, $3 the live read model's objects, as "KIND name".
WITH relations AS (
  SELECT c.oid, c.relname,
         CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                        WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' WHEN 'c' THEN 'TYPE'
                        ELSE 'TABLE' END AS kind
  FROM pg_class c WHERE c.relnamespace = to_regnamespace($2)
), mine AS (
  SELECT oid FROM relations WHERE kind || ' ' || quote_ident(relname) = ANY ($3)
), mine_too AS (
  SELECT oid FROM mine
  UNION SELECT i.indexrelid FROM pg_index i JOIN mine ON i.indrelid = mine.oid
  UNION SELECT d.objid FROM pg_depend d JOIN mine ON d.refobjid = mine.oid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
)
SELECT lower(c.kind) || ' ' || quote_ident(c.relname)
FROM relations c JOIN pg_class n ON n.relname = c.relname AND n.relnamespace = to_regnamespace($1)
WHERE c.oid NOT IN (SELECT oid FROM mine_too)
UNION ALL
SELECT format('function %I(%s)', p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc p JOIN pg_proc n
  ON n.proname = p.proname AND n.proargtypes = p.proargtypes AND n.pronamespace = to_regnamespace($1)
WHERE p.pronamespace = to_regnamespace($2)
  AND format('ROUTINE %I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) <> ALL ($3)
UNION ALL
-- A table has a type of its name; tables were compared above.
SELECT format('type %I', t.typname)
FROM pg_type t JOIN pg_type n ON n.typname = t.typname AND n.typnamespace = to_regnamespace($1)
WHERE t.typnamespace = to_regnamespace($2) AND t.typrelid = 0 AND t.typelem = 0
  AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS o WHERE o IN ('TYPE ' || quote_ident(t.typname), 'DOMAIN ' || quote_ident(t.typname)))
ORDER BY 1
