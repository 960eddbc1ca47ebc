-- How many events of {batch}, which an export has, the store lacks, and the lowest of their positions. What has the place
-- of one of them has been found to be the same.
SELECT count(*) AS events, min({position}) AS lowest, min(n.line) AS line
FROM {batch} AS n
WHERE NOT EXISTS (SELECT FROM {events} AS e WHERE e.aggregate_id = n.aggregate_id AND e.version = n.version)
