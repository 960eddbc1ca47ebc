-- The transactions that may still make positions visible: each INSERT and COPY takes RowExclusiveLock on the table
-- before its first nextval() and holds it to the end of the transaction (manual, "Table-Level Locks").
-- $1 the events tables, as text. Prepared transactions have no pid; pg_stat_activity hides the query of other roles.
SELECT l.virtualtransaction, coalesce(l.pid, 0),
       coalesce(a.usename, '')::text, coalesce(a.application_name, ''),
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8,
       coalesce(a.query, '')
FROM (
  -- Once for a transaction that has several of the tables, or a table and its partitions.
  SELECT DISTINCT l.virtualtransaction, l.pid FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.relation IN (
      SELECT t.oid FROM unnest($1::text[]::regclass[]) AS t (oid)
      UNION SELECT p.relid FROM unnest($1::text[]::regclass[]) AS t (oid), pg_partition_tree(t.oid) AS p)
    AND l.pid IS DISTINCT FROM pg_backend_pid()
) AS l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
ORDER BY 5 DESC
