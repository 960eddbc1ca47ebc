/// Makes the library believe that Citus distributes the events, on PostgreSQL without Citus: tables and functions
/// replace those that it queries. They show nothing of Citus's own behaviour.
let citusStandIn = """
  SET allow_system_table_mods = on;
  CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass, partkey text);
  INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.events', 'aggregate_id');
  CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid regclass, shardid bigint);
  INSERT INTO pg_catalog.pg_dist_shard SELECT 'public.events', n FROM generate_series(1, 32) n;
  GRANT SELECT ON pg_catalog.pg_dist_partition, pg_catalog.pg_dist_shard TO PUBLIC;
  CREATE FUNCTION pg_catalog.column_to_column_name(regclass, text) RETURNS text LANGUAGE sql STRICT AS 'SELECT $2';
  CREATE FUNCTION pg_catalog.citus_relation_size(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 4194304::bigint';
  CREATE FUNCTION pg_catalog.run_command_on_shards(regclass, text)
  RETURNS TABLE (shardid bigint, success boolean, result text) LANGUAGE sql
  AS $$ SELECT s.shardid, true, '7' FROM pg_catalog.pg_dist_shard s $$;
  """
