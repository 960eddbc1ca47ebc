-- The rules that snapshots were taken by. A changed file has another hash, and so starts anew.
CREATE TABLE annals.reducers (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  store text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  hash bytea NOT NULL,
  used_at timestamptz NOT NULL DEFAULT current_timestamp,
  UNIQUE (store, name, hash)
);
COMMENT ON COLUMN annals.reducers.store IS 'The events table, as schema.name';
COMMENT ON COLUMN annals.reducers.hash IS 'SHA-256 of the reducer file';

-- The state of an aggregate at a version. No foreign key: checking it row by row costs a third of taking a snapshot.
CREATE TABLE annals.snapshots (
  reducer integer NOT NULL,
  aggregate_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  position bigint,
  event_id uuid NOT NULL,
  state jsonb NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT current_timestamp,
  PRIMARY KEY (reducer, aggregate_id, version)
);
COMMENT ON COLUMN annals.snapshots.event_id IS 'The event at that version: where the store has another one now, the snapshot is not used';

-- The default reducer over many events at once: later members replace earlier ones.
CREATE AGGREGATE annals.shallow_merge(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}', parallel = safe);
