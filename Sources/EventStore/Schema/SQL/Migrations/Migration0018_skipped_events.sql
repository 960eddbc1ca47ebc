-- Events that projections, rebuilds and replays leave out, because an operator said so. They read it in the transaction
-- that applies or passes on events, so it counts from the next one on. It is small.
CREATE TABLE annals.skipped_events (
  store text NOT NULL,
  position bigint NOT NULL,
  event_id uuid NOT NULL,
  aggregate_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  role text NOT NULL DEFAULT session_user,
  skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (store, position)
);
COMMENT ON TABLE annals.skipped_events IS 'Events that readers leave out';
COMMENT ON COLUMN annals.skipped_events.store IS 'The events table, as schema.name';
