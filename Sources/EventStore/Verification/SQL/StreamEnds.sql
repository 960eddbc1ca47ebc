-- How many events every stream has, and where it ends, in the order of a manifest. The index on the aggregate and the
-- version answers this alone, without the table.
SELECT e.aggregate_id::text, count(*), coalesce(max(e.version), -2147483648)
FROM {events} e WHERE e.aggregate_id IS NOT NULL GROUP BY e.aggregate_id
ORDER BY e.aggregate_id COLLATE "C"
