-- Events of a stream that come before the event of the version below, by position or by time.
-- {order} is the version, then what orders two events of one version. An event without a position or a time is not
-- compared: {with_position} and {with_time} set such events apart if there can be any. {by_time} is t, or p if no event
-- has to be set apart: PostgreSQL computes two windows even if they are the same, which is a third slower.
SELECT f.kind, x.aggregate_id, x.version::bigint AS version, x.position,
       CASE f.kind WHEN 'position_order' THEN x.position_version ELSE x.time_version END::bigint AS previous_version,
       x.previous_position, x."timestamp", x.previous_timestamp
FROM (
  SELECT aggregate_id, version, {position} AS position, {timestamp} AS "timestamp",
         lag(version) OVER p AS position_version, lag({position}) OVER p AS previous_position,
         lag(version) OVER {by_time} AS time_version, lag({timestamp}) OVER {by_time} AS previous_timestamp
  FROM {events} e WHERE {scope} AND version IS NOT NULL
  WINDOW p AS (PARTITION BY aggregate_id{with_position} ORDER BY {order}),
         t AS (PARTITION BY aggregate_id{with_time} ORDER BY {order})
) x CROSS JOIN LATERAL (VALUES
  (CASE WHEN position < previous_position AND version > position_version THEN 'position_order' END),
  (CASE WHEN "timestamp" < previous_timestamp AND version > time_version THEN 'time_order' END)
) AS f (kind)
WHERE (position < previous_position OR "timestamp" < previous_timestamp) AND f.kind IS NOT NULL
ORDER BY x.aggregate_id, x.version
