-- Up to where a consumer outside the database is done, by the name that it chose.
CREATE TABLE annals.checkpoints (
  name text PRIMARY KEY CHECK (name <> ''),
  store text NOT NULL,
  filter text NOT NULL,
  position bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT current_timestamp,
  moved_at timestamptz NOT NULL DEFAULT current_timestamp
);
COMMENT ON COLUMN annals.checkpoints.store IS 'The events table, as schema.name';
COMMENT ON COLUMN annals.checkpoints.filter IS 'What it selects; with another selection the position means something else';
