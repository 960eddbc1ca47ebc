-- For stores with dense positions: the position up to which no reader needs to look for holes, and the holes that
-- readers have passed. verify-versions checks whether an event came there after all.
CREATE TABLE annals.dense_positions (
  store text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL
);
COMMENT ON TABLE annals.dense_positions IS 'Up to where holes in the positions of a store are passed';

CREATE TABLE annals.passed_holes (
  store text COLLATE "C" NOT NULL,
  first bigint NOT NULL,
  last bigint NOT NULL,
  passed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (store, first)
);
COMMENT ON TABLE annals.passed_holes IS 'Positions without an event that readers have passed';
