-- The statements that give new tables what operators gave to the live ones of the same name: grants, comments, row
-- security, replica identity, storage options, publications. Owners are equal already. What the projection file
-- defines for a new table (a comment, a policy, a storage option) stays.
-- $1 live schema, $2 schema of the new tables, $3 whether grants that only the new tables have stay.
WITH pairs AS (
  SELECT live.oid AS live, new.oid AS new, live.relkind, new.relowner AS owner,
         format('%I.%I', $2, new.relname) AS name, new.relname,
         CASE WHEN live.relkind = 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS grant_kind,
         CASE live.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                           WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind,
         coalesce(live.relacl, acldefault(CASE live.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", live.relowner)) AS live_acl,
         coalesce(new.relacl, acldefault(CASE new.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", new.relowner)) AS new_acl,
         live.relrowsecurity AND NOT new.relrowsecurity AS secure,
         live.relforcerowsecurity AND NOT new.relforcerowsecurity AS force,
         live.relreplident, new.relreplident AS new_replident,
         (SELECT string_agg(option, ', ') FROM unnest(live.reloptions) AS option
          WHERE split_part(option, '=', 1) NOT IN (SELECT split_part(o, '=', 1) FROM unnest(new.reloptions) AS o)) AS options
  FROM pg_class live
  JOIN pg_class new ON new.relname = live.relname AND new.relkind = live.relkind
    AND new.relnamespace = to_regnamespace(quote_ident($2))
  WHERE live.relnamespace = to_regnamespace(quote_ident($1)) AND live.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), columns AS (
  SELECT pairs.*, l.attnum AS live_number, n.attnum AS new_number, l.attname, l.attacl AS live_column_acl,
         n.attacl AS new_column_acl
  FROM pairs
  JOIN pg_attribute l ON l.attrelid = live AND l.attnum > 0 AND NOT l.attisdropped
  JOIN pg_attribute n ON n.attrelid = new AND n.attname = l.attname AND NOT n.attisdropped
), live_grants AS (
  SELECT name, grant_kind, '' AS on_column, a.grantee, a.privilege_type, a.is_grantable, owner FROM pairs, aclexplode(live_acl) AS a
  UNION ALL
  SELECT name, grant_kind, format(' (%I)', attname), a.grantee, a.privilege_type, a.is_grantable, owner
  FROM columns, aclexplode(live_column_acl) AS a
), new_grants AS (
  SELECT name, grant_kind, '' AS on_column, a.grantee, a.privilege_type, a.is_grantable, owner FROM pairs, aclexplode(new_acl) AS a
  UNION ALL
  SELECT name, grant_kind, format(' (%I)', attname), a.grantee, a.privilege_type, a.is_grantable, owner
  FROM columns, aclexplode(new_column_acl) AS a
), roles (oid, rolname) AS (
  SELECT oid, quote_ident(rolname) FROM pg_roles UNION ALL SELECT 0, 'PUBLIC'
), statements (step, statement) AS (
  SELECT 1, format('REVOKE %s%s ON %s %s FROM %s', privilege_type, on_column, grant_kind, name, rolname)
  FROM (SELECT * FROM new_grants EXCEPT SELECT * FROM live_grants) AS surplus JOIN roles ON roles.oid = grantee
  WHERE NOT $3
  UNION ALL
  SELECT 2, format('GRANT %s%s ON %s %s TO %s%s', privilege_type, on_column, grant_kind, name, rolname,
                   CASE WHEN is_grantable AND grantee <> owner THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM (SELECT * FROM live_grants EXCEPT SELECT * FROM new_grants) AS missing JOIN roles ON roles.oid = grantee
  UNION ALL
  SELECT 3, format('COMMENT ON %s %s IS %L', kind, name, obj_description(live, 'pg_class'))
  FROM pairs WHERE obj_description(live, 'pg_class') IS NOT NULL AND obj_description(new, 'pg_class') IS NULL
  UNION ALL
  SELECT 3, format('COMMENT ON COLUMN %s.%I IS %L', name, attname, col_description(live, live_number))
  FROM columns WHERE col_description(live, live_number) IS NOT NULL AND col_description(new, new_number) IS NULL
  UNION ALL
  SELECT 4, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name) FROM pairs WHERE secure
  UNION ALL
  SELECT 4, format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name) FROM pairs WHERE force
  UNION ALL
  SELECT 5, format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, name,
                   CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                   CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                 WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                   (SELECT string_agg(rolname, ', ') FROM roles WHERE roles.oid = ANY (p.polroles)),
                   ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                   ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
  FROM pairs JOIN pg_policy p ON p.polrelid = live
  WHERE NOT EXISTS (SELECT FROM pg_policy n WHERE n.polrelid = new AND n.polname = p.polname)
  UNION ALL
  SELECT 6, format('ALTER TABLE %s REPLICA IDENTITY %s', name, CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
  FROM pairs WHERE relreplident IN ('f', 'n') AND new_replident = 'd'
  UNION ALL
  SELECT 6, format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', name, mine.relname)
  FROM pairs
  JOIN pg_index i ON i.indrelid = live AND i.indisreplident JOIN pg_class theirs ON theirs.oid = i.indexrelid
  JOIN pg_class mine ON mine.relname = theirs.relname AND mine.relnamespace = to_regnamespace(quote_ident($2))
  WHERE pairs.relreplident = 'i' AND new_replident = 'd'
  UNION ALL
  SELECT 7, format('ALTER %s %s SET (%s)', kind, name, options) FROM pairs WHERE options IS NOT NULL
  UNION ALL
  -- The old tables leave the publications that they were named in, and the new ones take their place.
  SELECT 8, format('ALTER PUBLICATION %I DROP TABLE %I.%I', p.pubname, $1, relname)
  FROM pairs JOIN pg_publication_rel r ON r.prrelid = live JOIN pg_publication p ON p.oid = r.prpubid
  UNION ALL
  -- Column lists and row filters came with PostgreSQL 15. Read as JSON, their absence in older versions is no error.
  SELECT 9, format('ALTER PUBLICATION %I ADD TABLE %s%s%s', p.pubname, name,
                   CASE WHEN to_jsonb(r) ->> 'prattrs' IS NOT NULL THEN ' (' ||
                     (SELECT string_agg(quote_ident(a), ', ') FROM jsonb_array_elements_text(to_jsonb(t) -> 'attnames') AS a) || ')' END,
                   ' WHERE (' || (to_jsonb(t) ->> 'rowfilter') || ')')
  FROM pairs JOIN pg_publication_rel r ON r.prrelid = live JOIN pg_publication p ON p.oid = r.prpubid
  JOIN pg_publication_tables t ON t.pubname = p.pubname AND t.schemaname = $1 AND t.tablename = relname
)
SELECT statement FROM statements ORDER BY step, statement
