-- The state of a transaction of a lost connection: committed, aborted or in progress; NULL when it ended too long ago.
-- A standby says "in progress", since the primary may know more. $1 its id (xid8) as text
SELECT CASE WHEN pg_is_in_recovery() THEN 'in progress' ELSE pg_xact_status($1::xid8) END
