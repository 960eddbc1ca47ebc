-- A relation from before the transaction that it may have changed: the transaction has locked it in a mode that a
-- change takes and keeps to the end of the transaction (manual, "Table-Level Locks").
-- $1 the relations that were there, by number
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
  AND l.database IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
  AND c.relkind NOT IN ('i', 'I', 't') AND n.nspname <> 'pg_catalog' AND c.oid::bigint = ANY ($1)
ORDER BY 1
