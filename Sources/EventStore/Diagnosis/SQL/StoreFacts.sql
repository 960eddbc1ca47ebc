-- Facts about the server, the role of this session and the events table, as names and values. It reads only the
-- catalogues, which everybody may read, also on a standby. $1 schema, $2 table; the table need not exist.
-- $3 the schemas where read models are.
WITH events AS (
  SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), parts AS (
  SELECT c.* FROM pg_class c
  WHERE c.relkind IN ('r', 'm') AND c.oid IN (
    SELECT oid FROM events UNION SELECT p.relid FROM events e CROSS JOIN pg_partition_tree(e.oid) AS p)
), own AS (
  SELECT c.oid, c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace('annals') AND c.relkind = 'r'
), others AS (
  -- Roles, other than the owner and superusers, that may create objects in the schema of the events or of a read model.
  SELECT DISTINCT quote_ident(n.nspname) AS schema, a.grantee AS role
  FROM pg_namespace n
  CROSS JOIN aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
  WHERE n.nspname = ANY (array_append($3, $1)) AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
    AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = a.grantee AND r.rolsuper)
)
SELECT f.name, f.value
FROM (SELECT 1) AS one LEFT JOIN events e ON true CROSS JOIN LATERAL (VALUES
  ('server_version', current_setting('server_version')),
  ('server_version_num', current_setting('server_version_num')),
  ('role', current_user),
  ('database', current_database()),
  ('is_standby', pg_is_in_recovery()::text),
  ('is_read_only', current_setting('transaction_read_only')),
  ('fsync', current_setting('fsync')),
  ('full_page_writes', current_setting('full_page_writes')),
  ('synchronous_commit', current_setting('synchronous_commit')),
  ('autovacuum', current_setting('autovacuum')),
  ('max_connections', current_setting('max_connections')),
  -- Without pg_monitor, a role sees little more of the sessions of other roles than their database.
  ('connections', (SELECT count(*) FILTER (WHERE a.datid IS NOT NULL) FROM pg_stat_activity a)::text),
  ('can_create', has_database_privilege(current_database(), 'CREATE')::text),
  ('kind', e.relkind::text),
  ('can_use_schema', has_schema_privilege(e.relnamespace, 'USAGE')::text),
  ('can_select', has_table_privilege(e.oid, 'SELECT')::text),
  ('can_insert', has_any_column_privilege(e.oid, 'INSERT')::text),
  ('hides_rows', row_security_active(e.oid)::text),
  ('public_creates_in', (SELECT string_agg(o.schema, ', ') FROM others o WHERE o.role = 0)),
  ('others_create_in', (SELECT string_agg(format('%s in %s', quote_ident(pg_get_userbyid(o.role)), o.schema), ', ')
                        FROM others o WHERE o.role <> 0)),
  ('revoke_from_others',
   (SELECT string_agg(format('REVOKE CREATE ON SCHEMA %s FROM %s;', o.schema, quote_ident(pg_get_userbyid(o.role))), ' ')
    FROM others o WHERE o.role <> 0)),
  ('revoke_from_public',
   (SELECT string_agg(format('REVOKE CREATE ON SCHEMA %s FROM PUBLIC;', o.schema), ' ') FROM others o WHERE o.role = 0)),
  ('bytes', (SELECT sum(pg_relation_size(p.oid)) FROM parts p)::text),
  ('estimated_rows', (SELECT sum(greatest(p.reltuples, 0))::bigint FROM parts p)::text),
  -- A table that was never analyzed has -1 rows since PostgreSQL 14, and 0 before.
  ('parts_without_statistics',
   (SELECT count(*) FROM parts p WHERE p.reltuples <= 0 AND pg_relation_size(p.oid) > 0)::text),
  ('parts_without_autovacuum',
   (SELECT string_agg(p.oid::regclass::text, ', ') FROM parts p
    WHERE EXISTS (SELECT FROM pg_options_to_table(p.reloptions) AS o
                  WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean))),
  ('analyzed_at',
   (SELECT to_char(min(greatest(t.last_analyze, t.last_autoanalyze)) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM pg_stat_all_tables t JOIN parts p ON p.oid = t.relid)),
  ('has_position',
   EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = e.oid AND a.attname = 'position' AND NOT a.attisdropped)::text),
  -- Partitions of all levels.
  ('partition_key',
   (SELECT string_agg(DISTINCT coalesce(a.attname::text, 'an expression'), E'\n')
    FROM pg_partition_tree(e.oid) AS p JOIN pg_partitioned_table t ON t.partrelid = p.relid
    CROSS JOIN unnest(t.partattrs::smallint[]) AS k (number)
    LEFT JOIN pg_attribute a ON a.attrelid = t.partrelid AND a.attnum = k.number AND k.number > 0)),
  ('has_heirs', (e.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = e.oid))::text),
  ('has_annals', (to_regnamespace('annals') IS NOT NULL)::text),
  ('can_use_annals', has_schema_privilege(to_regnamespace('annals'), 'USAGE')::text),
  ('can_write_annals',
   -- Who works with the tables need not change the audit, nor write to the migrations.
   (SELECT bool_and(has_table_privilege(o.oid, 'SELECT')
                    AND (has_table_privilege(o.oid, 'INSERT') OR o.relname IN ('migrations', 'redactions', 'archives'))
                    AND (has_table_privilege(o.oid, 'UPDATE') AND has_table_privilege(o.oid, 'DELETE')
                         OR o.relname IN ('audit', 'migrations', 'redactions', 'archives')))
    FROM own o)::text),
  ('owner', quote_ident(pg_get_userbyid(e.relowner))),
  -- Whether both triggers are there and fire always; nothing without any.
  ('is_immutable',
   (SELECT CASE WHEN count(*) > 0 THEN (count(*) FILTER (WHERE t.tgenabled = 'A') = 2)::text END
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = e.oid AND p.proname = 'refuse_change' AND p.pronamespace = to_regnamespace('annals'))),
  ('notifies',
   (SELECT (t.tgenabled IN ('O', 'A'))::text FROM pg_trigger t WHERE t.tgrelid = e.oid AND t.tgname = 'annals_notify')),
  ('changers',
   (SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ')
    FROM (SELECT e.relacl AS acl UNION ALL SELECT c.attacl FROM pg_attribute c WHERE c.attrelid = e.oid) AS acls
    CROSS JOIN aclexplode(acls.acl) AS a
    WHERE a.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE') AND a.grantee <> e.relowner))
) AS f (name, value)
WHERE f.value IS NOT NULL
