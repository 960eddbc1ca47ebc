-- Estimates the rows of a table that Citus distributes, from the statistics of its shards; NULL while a shard has none.
-- $1 the table.
SELECT CASE WHEN bool_and(s.success AND s.result <> '-1') THEN sum(s.result::numeric)::bigint END AS rows
FROM run_command_on_shards($1::regclass, $command$SELECT reltuples::bigint FROM pg_class WHERE oid = '%s'::regclass$command$) AS s
