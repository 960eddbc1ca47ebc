-- A projection, by name: which store it reads, where its live read model is.
CREATE TABLE annals.projections (
  name text PRIMARY KEY,
  store text NOT NULL,
  live_schema text NOT NULL,
  is_paused boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN annals.projections.store IS 'The events table, as schema.name';

-- One build of a projection's read model. The row is also its checkpoint.
CREATE TABLE annals.generations (
  projection text NOT NULL REFERENCES annals.projections ON DELETE CASCADE,
  number integer NOT NULL,
  version integer NOT NULL,
  definition text NOT NULL,
  definition_hash bytea NOT NULL,
  schema_name text NOT NULL,
  state text NOT NULL CHECK (state IN ('building', 'ready', 'live', 'retired')),
  position bigint NOT NULL DEFAULT 0,
  events bigint NOT NULL DEFAULT 0,
  objects text[] NOT NULL DEFAULT '{}',
  error jsonb,
  started_at timestamptz NOT NULL DEFAULT current_timestamp,
  moved_at timestamptz NOT NULL DEFAULT current_timestamp,
  live_at timestamptz,
  PRIMARY KEY (projection, number)
);
CREATE UNIQUE INDEX ON annals.generations (projection) WHERE state = 'live';
COMMENT ON COLUMN annals.generations.definition_hash IS 'SHA-256 of the projection file';
COMMENT ON COLUMN annals.generations.schema_name IS 'Where the read model is while it is not live';
COMMENT ON COLUMN annals.generations.position IS 'Checkpoint: events up to here are applied';
COMMENT ON COLUMN annals.generations.objects IS 'The relations and routines of the read model, as ALTER names them';
