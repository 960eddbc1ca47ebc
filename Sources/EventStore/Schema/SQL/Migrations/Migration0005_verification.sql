-- How far a store was checked without an error, for checks of only what was touched since.
CREATE TABLE annals.verifications (
  store text NOT NULL,
  first_version integer NOT NULL,
  position bigint NOT NULL,
  verified_at timestamptz NOT NULL DEFAULT current_timestamp,
  PRIMARY KEY (store, first_version)
);
COMMENT ON COLUMN annals.verifications.store IS 'The events table, as schema.name';
