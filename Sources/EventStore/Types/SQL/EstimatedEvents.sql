-- Estimates the events of a table as the planner does. No row if its types cannot be estimated: this needs an index
-- with the types in order, and statistics of all rows. $1 the table.
SELECT c.reltuples::float8 * pg_relation_size(c.oid) / (c.relpages * current_setting('block_size')::float8) AS events
FROM pg_class c
WHERE c.oid = $1::regclass AND c.relkind = 'r' AND c.reltuples > 0 AND c.relpages > 0
  AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid)
  AND EXISTS (
    SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree' AND i.indnkeyatts >= 2
      AND pg_get_indexdef(i.indexrelid, 1, false) = 'event_type' AND pg_get_indexdef(i.indexrelid, 2, false) = quote_ident('position'))
