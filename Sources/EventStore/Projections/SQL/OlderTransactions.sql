-- The transactions under way in this database that may hold a snapshot. A snapshot older than a bulk load would see the
-- new tables empty. If pg_stat_activity may be read, transactions without a snapshot are left out, as CREATE INDEX
-- CONCURRENTLY does; otherwise every transaction counts, and the type of a backend is hidden too. The server's own
-- processes have no user; a parallel worker has its leader's snapshot.
SELECT l.virtualtransaction AS name, l.pid, NULL::text AS prepared_as, a.usename::text AS username,
       a.application_name AS application, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age_seconds,
       nullif(a.query, '<insufficient privilege>') AS query
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
  AND a.usesysid IS NOT NULL AND coalesce(a.backend_type, '') NOT IN ('parallel worker', 'walsender')
  AND (a.backend_xmin IS NOT NULL OR a.query = '<insufficient privilege>')
ORDER BY age_seconds DESC NULLS LAST
