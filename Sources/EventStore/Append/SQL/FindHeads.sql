-- The last version of each stream, 0 where there is none, in the order of $1.
SELECT coalesce((SELECT e.version FROM {events} AS e WHERE e.aggregate_id = n.id AND e.version IS NOT NULL
                 ORDER BY e.version DESC LIMIT 1), 0)
FROM unnest($1) WITH ORDINALITY AS n (id, ordinal)
ORDER BY n.ordinal
