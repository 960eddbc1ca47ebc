-- Ends the session that a lost connection left in a transaction, which nobody will commit. The id and the time make
-- sure that it is that session: after a crash the id may belong to another transaction.
-- $1 the transaction's id (xid8) as text, $2 when it began, as text
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_xid = ($1::xid8)::xid AND xact_start = $2::timestamptz AND usename = current_user AND pid <> pg_backend_pid()
