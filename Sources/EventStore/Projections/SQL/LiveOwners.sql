-- ALTER ... OWNER for the new objects, if the live object of the same name has another owner.
-- $1 live schema, $2 schema of the new objects.
SELECT format('ALTER %s %I.%I OWNER TO %I',
              CASE new.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                               WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
              $2, new.relname, pg_get_userbyid(live.relowner))
FROM pg_class live
JOIN pg_class new ON new.relname = live.relname AND new.relnamespace = to_regnamespace(quote_ident($2))
WHERE live.relnamespace = to_regnamespace(quote_ident($1)) AND new.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND live.relowner <> new.relowner
  -- The sequence of a column follows its table.
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = new.oid
                  AND new.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
UNION ALL
SELECT format('ALTER ROUTINE %I.%I(%s) OWNER TO %I', $2, new.proname, pg_get_function_identity_arguments(new.oid),
              pg_get_userbyid(live.proowner))
FROM pg_proc live
JOIN pg_proc new ON new.proname = live.proname AND new.proargtypes = live.proargtypes
  AND new.pronamespace = to_regnamespace(quote_ident($2))
WHERE live.pronamespace = to_regnamespace(quote_ident($1)) AND live.proowner <> new.proowner
