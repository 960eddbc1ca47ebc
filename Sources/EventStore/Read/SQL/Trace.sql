-- The events of a correlation, those that one of some events caused, and those with given ids.
-- {columns}, {causation} and {correlation} are filled in. An index on an expression of these serves its part:
--   CREATE INDEX ON events ((metadata ->> 'correlation_id'));
-- $1 correlation id or NULL, $2 ids as text that may be a cause, $3 ids.
SELECT {columns}, {causation}, {correlation}
FROM {events} e
WHERE e.id = ANY ($3)
   OR e.metadata ->> 'correlation_id' = $1 OR e.metadata ->> 'correlationId' = $1 OR e.metadata ->> '$correlationId' = $1
   OR e.metadata ->> 'causation_id' = ANY ($2) OR e.metadata ->> 'causationId' = ANY ($2)
   OR e.metadata ->> '$causationId' = ANY ($2)
LIMIT 10001
