-- The last version of each stream of $1 that has one. Citus accepts this form, but not FindHeads.sql. On a table that
-- is not distributed, this form reads the whole of each stream.
SELECT e.aggregate_id::text, max(e.version) FROM {events} AS e WHERE e.aggregate_id = ANY ($1) AND e.version IS NOT NULL
GROUP BY e.aggregate_id
