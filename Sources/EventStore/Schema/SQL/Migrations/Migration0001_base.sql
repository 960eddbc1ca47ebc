CREATE SCHEMA annals;
COMMENT ON SCHEMA annals IS 'What the annals tool keeps for itself; the events are elsewhere';

CREATE TABLE annals.migrations (
  number integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT current_timestamp
);

-- Who changed what with the tool, other than appending.
CREATE TABLE annals.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT current_timestamp,
  role text NOT NULL DEFAULT session_user,
  action text NOT NULL,
  subject text NOT NULL,
  detail jsonb
);
