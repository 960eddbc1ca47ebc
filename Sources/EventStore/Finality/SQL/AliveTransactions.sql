-- The transactions under way in this database, whatever they do: one that holds a number which it has taken from a sequence
-- need show neither a lock, a snapshot nor an id (nextval writes no WAL for most of its numbers). The server's own work has
-- no user; a parallel worker has its leader's transaction. pg_stat_activity hides age and query of other roles.
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
