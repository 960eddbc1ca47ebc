-- As SnapshotFindings.sql, with the heads of all streams that have snapshots at once: Citus has no lateral outer joins.
WITH heads AS MATERIALIZED (
  SELECT o.aggregate_id, max(o.version) AS last FROM {events} o
  WHERE o.aggregate_id IN (
    SELECT s.aggregate_id FROM annals.snapshots s JOIN annals.reducers n ON n.id = s.reducer WHERE n.store = {store})
  GROUP BY o.aggregate_id
)
SELECT e.aggregate_id, r.name AS reducer, e.version::bigint AS version, s.last::bigint AS last
FROM annals.snapshots e JOIN annals.reducers r ON r.id = e.reducer
LEFT JOIN heads s ON s.aggregate_id = e.aggregate_id
WHERE r.store = {store} AND (e.version > s.last OR s.last IS NULL) AND {scope}
ORDER BY e.aggregate_id, e.version
