-- What may change or drop events that are inserted into a table: rules, and triggers of the table and its partitions
-- that run before a row is stored or instead of that. $1 the table
WITH RECURSIVE tables AS (
  SELECT $1::regclass::oid AS oid
  UNION ALL
  SELECT i.inhrelid FROM pg_inherits AS i JOIN tables AS t ON i.inhparent = t.oid
)
-- Bits of tgtype: 1 for each row, 2 before, 4 on INSERT, 64 instead (pg_trigger.h).
SELECT format('trigger %I on %s', t.tgname, t.tgrelid::regclass)
FROM tables JOIN pg_trigger AS t ON t.tgrelid = tables.oid
WHERE t.tgtype & 5 = 5 AND t.tgtype & 66 <> 0 AND NOT t.tgisinternal AND t.tgparentid = 0
  AND t.tgenabled IN ('A', CASE current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
UNION ALL
-- 3 is INSERT in ev_type.
SELECT format('rule %I on %s', r.rulename, r.ev_class::regclass)
FROM pg_rewrite AS r WHERE r.ev_class = $1::regclass AND r.ev_type = '3' AND r.ev_enabled <> 'D'
ORDER BY 1
