-- Whether a table has valid unique indexes on the id alone, on the id within its aggregate, and on the version within
-- its aggregate. An index of a table says nothing about tables that inherit from it; an index of a partitioned table
-- holds for its partitions. $1 the events table
SELECT coalesce(bool_or(k.columns = ARRAY['id']), false) AS is_id_unique,
       coalesce(bool_or(k.columns = ARRAY['aggregate_id', 'id']), false) AS is_id_unique_in_stream,
       coalesce(bool_or(k.columns = ARRAY['aggregate_id', 'version']), false) AS is_version_unique
FROM (
  SELECT (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute AS a
          WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) AS columns
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
  WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    AND (c.relkind = 'p' OR NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhparent = c.oid))
) AS k
