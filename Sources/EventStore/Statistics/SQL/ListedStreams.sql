-- What a list tells of each of some streams, which an index finds. {chosen} has their ids, how many events they have, the
-- latest time and the bytes, NULL where nobody looked. Events are counted up to {most}, and looked at where there are no more than that; of a longer
-- stream its two ends must do. {counted} is that number, of a stream p.
SELECT p.aggregate_id, coalesce(p.events, whole.events, last.version::bigint - first.version + 1) AS events,
       p.events IS NULL AND few.events > {most} AS is_estimate,
       coalesce(whole.first_version, first.version) AS first_version,
       coalesce(whole.last_version, last.version) AS last_version,
       coalesce(whole.first_time, first.time) AS first_time, coalesce(p.last_time, whole.last_time, last.time) AS last_time,
       few.events > {most} AS has_estimated_times, coalesce(p.bytes, whole.bytes) AS bytes
FROM (SELECT c.*, row_number() OVER () AS place FROM ({chosen}) AS c) AS p
CROSS JOIN LATERAL (SELECT {counted} AS events OFFSET 0) AS few
LEFT JOIN LATERAL (
  SELECT count(*) AS events, {summary}
  FROM {events} e WHERE e.aggregate_id = p.aggregate_id AND few.events <= {most}
) AS whole ON whole.events > 0
LEFT JOIN LATERAL (
  SELECT e.version, {time} AS time FROM {events} e
  WHERE e.aggregate_id = p.aggregate_id AND few.events > {most} ORDER BY e.version LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
  SELECT e.version, {time} AS time FROM {events} e
  WHERE e.aggregate_id = p.aggregate_id AND few.events > {most} ORDER BY e.version DESC LIMIT 1
) AS last ON true
ORDER BY p.place
