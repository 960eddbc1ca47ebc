-- The tables that archived events are moved to. They belong to the history of their stores: verify-versions reads both.
CREATE TABLE annals.archives (
  store text COLLATE "C" PRIMARY KEY,
  archive text COLLATE "C" NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE annals.archives IS 'Tables with archived events';
COMMENT ON COLUMN annals.archives.store IS 'The events table, as schema.name';
COMMENT ON COLUMN annals.archives.archive IS 'The table with its archived events, quoted as in SQL';
