-- The bytes of some tables with their partitions, and whether the planner has statistics of all that hold something.
-- $1 the tables.
SELECT sum(pg_table_size(c.oid) - coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0))::bigint AS table_bytes,
       sum(pg_indexes_size(c.oid))::bigint AS index_bytes,
       sum(coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0))::bigint AS toast_bytes,
       coalesce(bool_and(c.reltuples > 0 OR pg_relation_size(c.oid) = 0), false) AS is_analyzed
FROM unnest($1) AS t (name)
-- This function returns nothing for a table without partitions.
CROSS JOIN LATERAL (
  SELECT to_regclass(t.name)::oid AS relid
  UNION SELECT relid FROM pg_partition_tree(to_regclass(t.name))
) AS p
JOIN pg_class AS c ON c.oid = p.relid
WHERE c.relkind IN ('r', 'm')
