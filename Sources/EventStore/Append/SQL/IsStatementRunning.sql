-- Whether the server process of a lost connection is still at its statement. Who has the same number, but came later
-- than this session, is another. $1 process id
SELECT EXISTS (
  SELECT FROM pg_stat_activity
  WHERE pid = $1 AND state <> 'idle' AND usename = current_user
    AND backend_start < (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
)
