-- A table, its partitions and children: $1. A trigger on rows comes to partitions by itself, one on TRUNCATE does not.
WITH RECURSIVE heirs AS (
  SELECT c.oid, false AS is_partition FROM pg_class c WHERE c.oid = to_regclass($1)
  UNION
  SELECT c.oid, c.relispartition FROM heirs h JOIN pg_inherits i ON i.inhparent = h.oid JOIN pg_class c ON c.oid = i.inhrelid
)
SELECT format('%I.%I', n.nspname, c.relname) AS name, h.is_partition,
       count(t.oid) FILTER (WHERE t.tgenabled = 'A') AS enabled, count(t.oid) AS triggers
FROM heirs h JOIN pg_class c ON c.oid = h.oid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgfoid = 'annals.refuse_change()'::regprocedure
GROUP BY h.oid, h.is_partition, n.nspname, c.relname ORDER BY h.oid
