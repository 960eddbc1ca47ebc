-- The append cost and the read plan behind each index: CONTRIBUTING.md, "The indexes of the events table".
CREATE TABLE {events} (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  aggregate_id varchar(255) COLLATE "C" NOT NULL CHECK (aggregate_id <> ''),
  event_type varchar(100) COLLATE "C" NOT NULL CHECK (event_type <> ''),
  event_data jsonb NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  "timestamp" timestamptz NOT NULL DEFAULT current_timestamp,
  metadata jsonb,
  -- CACHE 1: with a larger cache a session hands out old positions late, and readers would skip them.
  position bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1),
  -- Decides who wins when two writers append the same version; reads one stream in order.
  UNIQUE (aggregate_id, version),
  {id_key}
){partitioning};
-- Reads the whole store in order, from any position.
{position_key};
-- Finds the events of a rare type without reading the others.
CREATE INDEX ON {events} (event_type, position);
-- Turns a time into a range of positions; a BRIN index costs an append next to nothing.
CREATE INDEX ON {events} USING brin ("timestamp") WITH (autosummarize = on);
COMMENT ON TABLE {events} IS 'Events, appended and never changed (annals)';
COMMENT ON COLUMN {events}.version IS 'Place of the event in its stream, from 1, without gaps';
COMMENT ON COLUMN {events}.position IS 'Place of the event in the whole store, with holes where transactions were rolled back';
