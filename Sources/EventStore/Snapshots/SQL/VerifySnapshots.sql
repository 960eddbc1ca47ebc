-- What is wrong with the snapshots of some aggregates, after a fold of their streams from the beginning.
, annals_kept AS (
  SELECT row_number() OVER () AS key, s.aggregate_id, s.version, s.state AS stored, f.state AS recomputed,
         CASE WHEN l.id IS NULL THEN 'ahead' WHEN l.id <> s.event_id THEN 'replaced' ELSE 'differs' END AS problem
  FROM annals.snapshots AS s
  LEFT JOIN annals_base AS b ON b.aggregate_id COLLATE "C" = s.aggregate_id
  LEFT JOIN {events} AS l ON l.aggregate_id = b.aggregate_id AND l.version = s.version
  LEFT JOIN annals_fold AS f ON f.aggregate_id = b.aggregate_id AND f.version = s.version
  WHERE s.reducer = {reducer} AND s.aggregate_id = ANY ({ids})
), annals_pairs (key, old, new) AS (
  SELECT key, stored, recomputed FROM annals_kept WHERE problem = 'differs'
), {changes}
SELECT (SELECT count(*) FROM annals_kept) AS snapshots, NULL AS problem, NULL AS aggregate_id, NULL AS version,
       NULL AS path, NULL AS stored, NULL AS recomputed
UNION ALL
SELECT NULL, k.problem, k.aggregate_id, k.version, c.path, c.old::text, c.new::text FROM (
  SELECT key, {path} AS path, old, new FROM annals_changes WHERE {whole}
  UNION ALL
  SELECT key, NULL, NULL, NULL FROM annals_kept WHERE problem <> 'differs'
) AS c JOIN annals_kept AS k USING (key)
ORDER BY 1, 3, 4, 5
