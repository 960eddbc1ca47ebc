-- Ends the session that a lost connection left in a transaction, where nobody will commit it. The id makes sure that
-- it is that session and no other. $1 the transaction's id (xid8) as text
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_xid = ($1::xid8)::xid AND usename = current_user AND pid <> pg_backend_pid()
