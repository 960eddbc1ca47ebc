-- The objects that move together when a read model changes its schema, as ALTER names them without the schema.
-- $1 the schema. Indexes, toast tables, owned sequences and row types move with their table, and arrays with their
-- type. The functions and the multirange type (PostgreSQL 14) of a range type do not move with it.
SELECT kind, name FROM (
  SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind,
         quote_ident(c.relname) AS name,
         c.relkind IN ('v', 'm') AS is_view
  FROM pg_class c
  WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'
                      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
  UNION ALL
  SELECT 'ROUTINE', format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), false
  FROM pg_proc p WHERE p.pronamespace = to_regnamespace($1)
  UNION ALL
  SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, quote_ident(t.typname), false
  FROM pg_type t
  WHERE t.typnamespace = to_regnamespace($1) AND t.typtype IN ('d', 'e', 'r', 'm', 'c')
    AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
) AS objects
ORDER BY is_view, kind, name
