-- Assigns positions to events that have none: every stream keeps the order of its versions, and streams interleave by
-- time. If other events have positions already, the new ones start at {start}.
CREATE TABLE {numbers} AS
SELECT row_number() OVER (ORDER BY reached, aggregate_id, version, id) AS position, {key}
FROM (
  SELECT id, aggregate_id, version, max("timestamp") OVER (PARTITION BY aggregate_id ORDER BY version) AS reached
  FROM {events}
  WHERE position IS NULL OR position < {start}
) AS ordered;
ALTER TABLE {numbers} ADD PRIMARY KEY (position);
