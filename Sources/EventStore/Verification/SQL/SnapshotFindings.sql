-- Snapshots of a version that the stream does not have.
SELECT e.aggregate_id, r.name AS reducer, e.version::bigint AS version, s.last::bigint AS last
FROM annals.snapshots e JOIN annals.reducers r ON r.id = e.reducer
LEFT JOIN LATERAL (SELECT max(version) AS last FROM {events} o WHERE aggregate_id = e.aggregate_id) s ON true
WHERE r.store = {store} AND (e.version > s.last OR s.last IS NULL) AND {scope}
ORDER BY e.aggregate_id, e.version
