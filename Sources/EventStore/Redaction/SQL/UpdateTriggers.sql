-- What runs when events of a table, $1, or of its partitions and children are changed: it could keep old values elsewhere,
-- or write others. Not the triggers of annals, and not those that are disabled.
WITH RECURSIVE heirs AS (
  SELECT to_regclass($1)::oid AS oid
  UNION
  SELECT i.inhrelid FROM heirs h JOIN pg_inherits i ON i.inhparent = h.oid
)
SELECT format('trigger %I', t.tgname) AS name
FROM heirs h JOIN pg_trigger t ON t.tgrelid = h.oid
-- 16 is TRIGGER_TYPE_UPDATE (pg_trigger.h).
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 16 <> 0
  AND t.tgfoid IS DISTINCT FROM to_regprocedure('annals.refuse_change()')
UNION
SELECT format('rule %I', r.rulename) FROM heirs h JOIN pg_rewrite r ON r.ev_class = h.oid
WHERE r.ev_type = '2' AND r.ev_enabled <> 'D'
ORDER BY 1
