-- How many events of {batch} (events of an export) the store lacks, and the lowest of their positions. An earlier check
-- found that every stored event in the place of one of them is the same event.
SELECT count(*) AS events, min({position}) AS lowest, min(n.line) AS line
FROM {batch} AS n
WHERE NOT EXISTS (SELECT FROM {events} AS e WHERE e.aggregate_id = n.aggregate_id AND e.version = n.version)
