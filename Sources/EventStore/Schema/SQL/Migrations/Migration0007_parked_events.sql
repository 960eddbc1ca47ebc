-- The events that the consumer of a checkpoint gave up on.
CREATE TABLE annals.parked_events (
  checkpoint text NOT NULL REFERENCES annals.checkpoints ON DELETE CASCADE,
  position bigint NOT NULL,
  aggregate_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  attempts integer NOT NULL,
  message text NOT NULL,
  failed_at timestamptz NOT NULL DEFAULT current_timestamp,
  state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'applied', 'discarded')),
  PRIMARY KEY (checkpoint, position)
);
COMMENT ON COLUMN annals.parked_events.message IS 'What the consumer did wrong at the last attempt';
