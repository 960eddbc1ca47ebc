-- Objects outside a read model that depend on its live objects, and would follow the old ones when these move away:
-- views, foreign keys, functions with SQL bodies, columns of its types, policies, triggers, children.
-- $1 live schema, $2 the live read model's objects, as "KIND name".
WITH relations AS (
  SELECT c.oid FROM pg_class c
  WHERE c.relnamespace = to_regnamespace($1)
    AND CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                       WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END
        || ' ' || quote_ident(c.relname) = ANY ($2)
), own AS (
  SELECT 'pg_class'::regclass::oid AS class, oid FROM relations
  UNION SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i JOIN relations r ON r.oid = i.indrelid
  UNION SELECT 'pg_class'::regclass, d.objid FROM pg_depend d JOIN relations r ON r.oid = d.refobjid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  UNION SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p
        WHERE p.pronamespace = to_regnamespace($1)
          AND format('ROUTINE %I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) = ANY ($2)
  UNION SELECT 'pg_type'::regclass, t.oid FROM pg_type t
        WHERE t.typnamespace = to_regnamespace($1)
          AND ('TYPE ' || quote_ident(t.typname) = ANY ($2) OR 'DOMAIN ' || quote_ident(t.typname) = ANY ($2)
               OR t.typrelid IN (SELECT oid FROM relations))
), whole AS (
  SELECT class, oid FROM own
  UNION SELECT 'pg_type'::regclass, t.typarray FROM pg_type t JOIN own ON own.class = 'pg_type'::regclass AND own.oid = t.oid
        WHERE t.typarray <> 0
), hanging AS (
  SELECT DISTINCT d.classid, d.objid, d.objsubid,
    -- The relation that a rule, constraint, default, trigger or policy is part of.
    coalesce(rewrite.ev_class, fk.conrelid, def.adrelid, trig.tgrelid, pol.polrelid) AS relation
  FROM whole
  JOIN pg_depend d ON d.refclassid = whole.class AND d.refobjid = whole.oid AND d.deptype = 'n'
  LEFT JOIN pg_rewrite rewrite ON d.classid = 'pg_rewrite'::regclass AND rewrite.oid = d.objid
  LEFT JOIN pg_constraint fk ON d.classid = 'pg_constraint'::regclass AND fk.oid = d.objid AND fk.conrelid <> 0
  LEFT JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND def.oid = d.objid
  LEFT JOIN pg_trigger trig ON d.classid = 'pg_trigger'::regclass AND trig.oid = d.objid
  LEFT JOIN pg_policy pol ON d.classid = 'pg_policy'::regclass AND pol.oid = d.objid
  WHERE d.classid <> 'pg_publication_rel'::regclass
)
SELECT DISTINCT CASE
  WHEN h.classid = 'pg_rewrite'::regclass THEN pg_describe_object('pg_class'::regclass, h.relation, 0)
  ELSE pg_describe_object(h.classid, h.objid, h.objsubid) END
FROM hanging h
WHERE NOT EXISTS (
  SELECT FROM whole w
  WHERE (w.class = h.classid AND w.oid = h.objid) OR (w.class = 'pg_class'::regclass AND w.oid = h.relation))
ORDER BY 1
