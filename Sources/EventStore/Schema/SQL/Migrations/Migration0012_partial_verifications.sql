-- Where a check of all streams in several parts stopped, so that the next part continues there.
CREATE TABLE annals.partial_verifications (
  store text COLLATE "C" NOT NULL,
  first_version integer NOT NULL,
  aggregate_id text,
  verified_at timestamptz NOT NULL DEFAULT current_timestamp,
  PRIMARY KEY (store, first_version)
);
COMMENT ON COLUMN annals.partial_verifications.store IS 'The events table, as schema.name';
COMMENT ON COLUMN annals.partial_verifications.aggregate_id IS 'The last stream that was checked, NULL when all were';
