-- The transactions that may still make positions visible: each INSERT and COPY takes RowExclusiveLock on the table
-- before its first nextval() and holds it to the end of the transaction (manual, "Table-Level Locks").
-- $1 the events tables, as text. A prepared transaction has no pid, and is known by the lock on its own id;
-- pg_stat_activity hides age and query of other roles.
WITH RECURSIVE above AS (
  SELECT t.oid FROM unnest($1::text[]::regclass[]) AS t (oid)
  UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid
), tree AS (
  -- A session that writes to a partition or a child by its own name locks only that. A session that writes through a
  -- parent takes a position before the partition is locked.
  SELECT oid FROM above
  UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
)
, locks AS MATERIALIZED (SELECT * FROM pg_locks)
SELECT l.virtualtransaction AS name, l.pid, p.gid AS prepared_as, coalesce(p.owner, a.usename)::text AS username,
       a.application_name AS application,
       extract(epoch FROM clock_timestamp() - coalesce(p.prepared, a.xact_start))::float8 AS age_seconds,
       nullif(a.query, '<insufficient privilege>') AS query
FROM (
  -- One row for a transaction that has locked several of the tables.
  SELECT DISTINCT l.virtualtransaction, l.pid FROM locks l
  WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.relation IN (SELECT oid FROM tree)
    AND l.pid IS DISTINCT FROM pg_backend_pid()
) AS l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN locks x ON l.pid IS NULL AND x.pid IS NULL AND x.virtualtransaction = l.virtualtransaction
  AND x.locktype = 'transactionid' AND x.mode = 'ExclusiveLock' AND x.granted
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
ORDER BY age_seconds DESC NULLS LAST
