-- Whether the server process of a lost connection still runs its statement. A process with the same number that started
-- later than this session is another one. $1 process id
SELECT EXISTS (
  SELECT FROM pg_stat_activity
  WHERE pid = $1 AND state <> 'idle' AND usename = current_user
    AND backend_start < (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
)
