-- What a list shows of some streams, found by an index. {chosen} has their ids, their number of events, latest time and
-- bytes; these are NULL if nobody looked. Events are counted up to {most}. A stream with more is described by its two
-- ends, and all events of the others are read. {counted} is that count, of a stream p.
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
