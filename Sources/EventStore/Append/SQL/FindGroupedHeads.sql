-- The last version of each stream of $1 that has one. Citus takes this form, and FindHeads.sql not; on a table that is not
-- distributed it goes through the whole of each stream.
SELECT e.aggregate_id::text, max(e.version) FROM {events} AS e WHERE e.aggregate_id = ANY ($1) AND e.version IS NOT NULL
GROUP BY e.aggregate_id
