-- How Citus distributes a table: its column (NULL for a reference table), its shards and their size. $1 the table.
SELECT column_to_column_name(p.logicalrelid, p.partkey) AS "column",
       (SELECT count(*) FROM pg_catalog.pg_dist_shard s WHERE s.logicalrelid = p.logicalrelid) AS shards,
       citus_relation_size(p.logicalrelid) AS bytes
FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1::regclass
