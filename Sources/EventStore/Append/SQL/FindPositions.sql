-- The positions of events that were just stored, in order. $1 aggregates, $2 versions
SELECT e.position
FROM unnest($1, $2) WITH ORDINALITY AS n (aggregate_id, version, ordinal)
JOIN {events} AS e ON e.aggregate_id = n.aggregate_id AND e.version = n.version
ORDER BY n.ordinal
