-- How far a standby is behind its primary; no row on a primary. The seconds since the primary committed the last
-- replayed transaction, or 0 when all received WAL is replayed; NULL when nothing was replayed yet. Received WAL says
-- nothing while there is no receiver. Everybody may see whether there is one.
SELECT pg_is_wal_replay_paused() AS is_paused,
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
         ELSE greatest(0, extract(epoch FROM clock_timestamp()) - extract(epoch FROM pg_last_xact_replay_timestamp()))
       END::float8 AS delay_seconds
WHERE pg_is_in_recovery()
