-- The position up to which a store is final, for readers on standbys, which do not see the transactions of the primary.
-- A row is written after all its events were committed, so a standby that shows the row shows the events too.
CREATE TABLE annals.watermarks (
  store text COLLATE "C" PRIMARY KEY,
  position bigint,
  event_id uuid,
  published_at timestamptz NOT NULL
);
COMMENT ON TABLE annals.watermarks IS 'Up to where a store was final when that was published';
COMMENT ON COLUMN annals.watermarks.position IS 'NULL where the store was empty';
COMMENT ON COLUMN annals.watermarks.event_id IS 'The event at the position, by which a replaced store is known';
