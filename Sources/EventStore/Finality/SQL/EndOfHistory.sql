-- Where history ends: the last event, whether this is a standby, the sequence of the positions, and whether the event
-- at $1 still has id $2 (true if none was seen before). The query names the table before its sequence and locks in that
-- order, as TRUNCATE ... RESTART IDENTITY does; the other order could deadlock with it.
SELECT h.position, h.id, pg_is_in_recovery() AS is_standby, s.last_value, s.is_called,
       $1::bigint IS NULL OR EXISTS (
         SELECT FROM {events} e WHERE e.position = $1 AND e.id IS NOT DISTINCT FROM $2::uuid) AS is_there
FROM (
  SELECT e.position, e.id FROM {events} e WHERE e.position IS NOT NULL ORDER BY e.position DESC LIMIT 1
) AS h RIGHT JOIN {sequence} AS s ON true
