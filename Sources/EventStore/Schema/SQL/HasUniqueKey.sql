-- Whether a valid unique index and NOT NULL guarantee that no two events have the same values in some columns, and none
-- is NULL there. An index of a table says nothing about tables that inherit from it; that of a partitioned one does.
-- $1 the events table, $2 the columns in alphabetical order.
SELECT EXISTS (
  SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
    AND (c.relkind = 'p' OR NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid))
    AND i.indnkeyatts = cardinality($2)
    AND (SELECT array_agg(a.attname::text ORDER BY a.attname) = $2 AND bool_and(a.attnotnull)
         FROM pg_attribute a
         WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
)
