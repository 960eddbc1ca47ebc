-- The last version of each stream, 0 where there is none, in the order of $1. {archived} is a comma and the last version of
-- the stream in the archive, or empty.
SELECT coalesce((SELECT e.version FROM {events} AS e WHERE e.aggregate_id = n.id AND e.version IS NOT NULL
                 ORDER BY e.version DESC LIMIT 1){archived}, 0)
FROM unnest($1) WITH ORDINALITY AS n (id, ordinal)
ORDER BY n.ordinal
