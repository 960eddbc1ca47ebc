-- All transactions under way in this database. A transaction that has taken a number from a sequence may show no lock,
-- no snapshot and no id (most calls of nextval write no WAL). The server's own processes have no user; a parallel
-- worker has its leader's transaction. pg_stat_activity hides the age and query of other roles.
SELECT l.virtualtransaction AS name, l.pid, NULL::text AS prepared_as, a.usename::text AS username,
       a.application_name AS application, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age_seconds,
       nullif(a.query, '<insufficient privilege>') AS query
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
  AND a.usesysid IS NOT NULL AND coalesce(a.backend_type, '') NOT IN ('parallel worker', 'walsender')
UNION ALL
SELECT 'prepared ' || p.gid, NULL, p.gid, p.owner::text, NULL,
       extract(epoch FROM clock_timestamp() - p.prepared)::float8, NULL
FROM pg_prepared_xacts p
WHERE p.database = current_database()
ORDER BY age_seconds DESC NULLS LAST
