-- The state of an aggregate at a version. The reducer's hash is part of the key: a changed reducer starts anew.
CREATE TABLE annals.snapshots (
  store text NOT NULL,
  aggregate_id text COLLATE "C" NOT NULL,
  reducer text NOT NULL,
  reducer_hash bytea NOT NULL,
  version integer NOT NULL,
  position bigint,
  state jsonb NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT current_timestamp,
  PRIMARY KEY (store, aggregate_id, reducer, reducer_hash, version)
);
COMMENT ON COLUMN annals.snapshots.store IS 'The events table, as schema.name';
