-- What is known of a transaction of a connection that was lost: committed, aborted or in progress; NULL when it is too
-- long ago. On a standby nothing is final: the primary may know more. $1 its id (xid8) as text
SELECT CASE WHEN pg_is_in_recovery() THEN 'in progress' ELSE pg_xact_status($1::xid8) END
