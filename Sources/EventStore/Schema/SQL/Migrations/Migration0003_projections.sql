-- A projection, by name: which store it reads, where its live read model is.
CREATE TABLE annals.projections (
  name text PRIMARY KEY,
  store text NOT NULL,
  live_schema text NOT NULL,
  is_paused boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE annals.projections IS 'A row lock here orders the swaps and the catch-up of a projection';
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
COMMENT ON COLUMN annals.generations.error IS 'Why work on it stopped last; NULL after it went on';
COMMENT ON COLUMN annals.generations.live_at IS 'When it went live last';

-- The parts of a build that workers share by aggregate, each with a checkpoint of its own.
CREATE TABLE annals.shards (
  projection text NOT NULL,
  generation integer NOT NULL,
  number integer NOT NULL,
  position bigint NOT NULL,
  events bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (projection, generation, number),
  FOREIGN KEY (projection, generation) REFERENCES annals.generations ON DELETE CASCADE
);
COMMENT ON COLUMN annals.shards.number IS 'From 0; the shard of an aggregate is the hash of its id modulo the number of shards';

-- The events that catching up gave up on. They belong to a generation: another one has applied them, or has its own.
CREATE TABLE annals.dead_letters (
  projection text NOT NULL,
  generation integer NOT NULL,
  position bigint NOT NULL,
  aggregate_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  attempts integer NOT NULL,
  sqlstate text NOT NULL,
  message text NOT NULL,
  detail text,
  failed_at timestamptz NOT NULL DEFAULT current_timestamp,
  state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'applied', 'discarded')),
  PRIMARY KEY (projection, generation, position),
  FOREIGN KEY (projection, generation) REFERENCES annals.generations ON DELETE CASCADE
);
