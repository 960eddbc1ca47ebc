-- Copies of an events table that upcasters were applied to. The row is also the copy's checkpoint.
CREATE TABLE annals.evolutions (
  copy text PRIMARY KEY,
  store text NOT NULL,
  identity text NOT NULL,
  plan jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('copying', 'copied', 'swapped')),
  position bigint NOT NULL DEFAULT 0,
  events bigint NOT NULL DEFAULT 0,
  swapped_position bigint,
  started_at timestamptz NOT NULL DEFAULT current_timestamp,
  moved_at timestamptz NOT NULL DEFAULT current_timestamp,
  swapped_at timestamptz
);
COMMENT ON COLUMN annals.evolutions.copy IS 'The table beside the store, as schema.name; once swapped, the old events are there';
COMMENT ON COLUMN annals.evolutions.identity IS 'SHA-256 of the store''s name and the upcasters';
COMMENT ON COLUMN annals.evolutions.position IS 'Checkpoint: events of the store up to here are in the copy';
COMMENT ON COLUMN annals.evolutions.swapped_position IS 'The last event at the swap, by the positions of the new table';
