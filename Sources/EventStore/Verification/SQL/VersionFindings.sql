-- The faults of the streams that Streams.sql counts, by stream and version. {first} is the first version, {start} as in
-- Streams.sql, {late} the kind of finding if a stream begins later, or NULL.
WITH suspects AS (
  SELECT aggregate_id FROM {events} e WHERE {scope} GROUP BY aggregate_id
  HAVING count(*) <> {versions} OR min(version) <> {start} OR max(version) <> {start} + count(*) - 1
),
-- One row for each version, with the version before it. A version below the first one counts as the one just before it.
versions AS (
  SELECT aggregate_id, version::bigint AS version, count(*) AS copies, min({position}) AS position,
         array_to_string((array_agg(id::text ORDER BY id))[1:5], ', ') AS ids,
         greatest(lag(version) OVER (PARTITION BY aggregate_id ORDER BY version), {first} - 1) AS previous
  FROM {events} e WHERE aggregate_id IN (SELECT aggregate_id FROM suspects)
  GROUP BY aggregate_id, version
)
SELECT f.kind, v.aggregate_id, f.first, f.last, v.position, v.copies, v.ids
FROM versions v CROSS JOIN LATERAL (VALUES
  (CASE WHEN version IS NULL OR version < {first} THEN 'invalid_version' END, version, version),
  (CASE WHEN version > previous + 1 THEN CASE WHEN previous < {first} THEN {late} ELSE 'gap' END END,
   previous + 1, version - 1),
  (CASE WHEN copies > 1 AND version IS NOT NULL THEN 'duplicate_version' END, version, version)
) AS f (kind, first, last)
WHERE f.kind IS NOT NULL
ORDER BY v.aggregate_id, v.version, f.first
