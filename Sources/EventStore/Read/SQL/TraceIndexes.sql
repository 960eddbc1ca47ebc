-- Which members of the metadata have an index, and about how many events the table has. $1 the table, $2 the members.
-- An index of a table says nothing about the tables that inherit from it.
SELECT k.name, k.name = ANY (i.names) AS is_indexed,
       (SELECT greatest(c.reltuples, (SELECT sum(l.reltuples) FROM pg_partition_tree(c.oid) AS p JOIN pg_class l ON l.oid = p.relid
                                      WHERE p.isleaf AND l.reltuples > 0))::bigint
        FROM pg_class c WHERE c.oid = $1::regclass) AS events
FROM unnest($2) AS k (name)
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(k.name) FILTER (
    WHERE pg_get_indexdef(i.indexrelid, 1, true) = format('(metadata ->> %L::text)', k.name)
      AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid, true) = format('(metadata ->> %L::text) IS NOT NULL', k.name))
  ), '{}') AS names
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
  WHERE i.indrelid = $1::regclass AND i.indisvalid AND m.amname IN ('btree', 'hash')
) AS i
