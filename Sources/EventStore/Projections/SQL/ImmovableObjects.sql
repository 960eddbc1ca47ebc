-- The objects of a schema that do not move with a read model, by their usual names; $1 the schema. A type that is
-- neither an array nor one of the kinds of ReadModelObjects.sql is a base type, or not yet defined.
SELECT replace(pg_describe_object(o.class, o.oid, 0), quote_ident($1) || '.', '')
FROM (
  SELECT 'pg_operator'::regclass AS class, oid, oprnamespace AS schema FROM pg_operator
  UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
  UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace FROM pg_opfamily
  UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace FROM pg_collation
  UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace FROM pg_conversion
  UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict
  UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace FROM pg_ts_parser
  UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace FROM pg_ts_template
  UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typnamespace FROM pg_type t
  WHERE t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
) AS o
WHERE o.schema = to_regnamespace(quote_ident($1)) ORDER BY 1
