-- Events of a stream that stand before the event of the version below, by place in the whole store or by time.
-- {order} the version, and what decides between two of one version.
SELECT f.kind, x.aggregate_id, x.version::bigint AS version, x.position,
       x.previous_version::bigint AS previous_version, x.previous_position, x."timestamp", x.previous_timestamp
FROM (
  SELECT aggregate_id, version, {position} AS position, {timestamp} AS "timestamp",
         lag(version) OVER w AS previous_version, lag({position}) OVER w AS previous_position,
         lag({timestamp}) OVER w AS previous_timestamp
  FROM {events} e WHERE {scope} AND version IS NOT NULL
  WINDOW w AS (PARTITION BY aggregate_id ORDER BY {order})
) x CROSS JOIN LATERAL (VALUES
  (CASE WHEN position < previous_position THEN 'position_order' END),
  (CASE WHEN "timestamp" < previous_timestamp THEN 'time_order' END)
) AS f (kind)
WHERE (position < previous_position OR "timestamp" < previous_timestamp) AND f.kind IS NOT NULL
ORDER BY x.aggregate_id, x.version
