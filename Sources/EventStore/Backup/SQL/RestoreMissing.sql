-- Stores the events of {batch} that the store lacks, with the positions that they had.
INSERT INTO {events} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM {batch} AS n
WHERE NOT EXISTS (SELECT FROM {events} AS e WHERE e.aggregate_id = n.aggregate_id AND e.version = n.version)
ORDER BY n.line
