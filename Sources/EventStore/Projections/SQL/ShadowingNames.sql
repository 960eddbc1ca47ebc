-- Functions and operators in some schemas that have the name of one of PostgreSQL's, and are owned neither by this
-- role, the owner of the schema nor a superuser. $1 the schemas.
WITH trusted AS (
  SELECT n.oid AS schema, r.oid AS role
  FROM pg_namespace n
  JOIN pg_roles r ON r.rolsuper OR r.rolname = current_user OR r.oid = n.nspowner
    -- pg_database_owner, whose only member is the owner of the database.
    OR n.nspowner = to_regrole('pg_database_owner')
       AND r.oid = (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database())
  WHERE n.nspname = ANY ($1)
)
SELECT pg_describe_object('pg_operator'::regclass, o.oid, 0) || ' of role ' || quote_ident(pg_get_userbyid(o.oprowner)) AS name
FROM pg_operator o
WHERE o.oprnamespace = ANY (ARRAY(SELECT n.oid FROM pg_namespace n WHERE n.nspname = ANY ($1)))
  AND NOT EXISTS (SELECT FROM trusted t WHERE t.schema = o.oprnamespace AND t.role = o.oprowner)
  AND EXISTS (SELECT FROM pg_operator p WHERE p.oprname = o.oprname AND p.oprnamespace = 'pg_catalog'::regnamespace)
UNION ALL
SELECT pg_describe_object('pg_proc'::regclass, f.oid, 0) || ' of role ' || quote_ident(pg_get_userbyid(f.proowner))
FROM pg_proc f
WHERE f.pronamespace = ANY (ARRAY(SELECT n.oid FROM pg_namespace n WHERE n.nspname = ANY ($1)))
  AND NOT EXISTS (SELECT FROM trusted t WHERE t.schema = f.pronamespace AND t.role = f.proowner)
  AND EXISTS (SELECT FROM pg_proc p WHERE p.proname = f.proname AND p.pronamespace = 'pg_catalog'::regnamespace)
ORDER BY 1
