-- Numbers the events so that every stream keeps the order of its versions and streams interleave by time.
-- The table is locked meanwhile; only the new column is written.
LOCK TABLE {events} IN ACCESS EXCLUSIVE MODE;
ALTER TABLE {events} ADD COLUMN position bigint;
UPDATE {events} AS e SET position = numbered.position
FROM (
  SELECT part, row, row_number() OVER (ORDER BY reached, aggregate_id, version) AS position
  FROM (
    SELECT tableoid AS part, ctid AS row, aggregate_id, version,
           max("timestamp") OVER (PARTITION BY aggregate_id ORDER BY version) AS reached
    FROM {events}
  ) AS ordered
) AS numbered
WHERE e.tableoid = numbered.part AND e.ctid = numbered.row;
ALTER TABLE {events} ALTER COLUMN position SET NOT NULL,
  ALTER COLUMN position ADD GENERATED ALWAYS AS IDENTITY (CACHE 1);
SELECT setval(pg_get_serial_sequence({events_literal}, 'position'), coalesce(max(position), 0) + 1, false) FROM {events};
CREATE INDEX ON {events} (event_type, position);
