/// Waits at the eleventh event while table `gate` has a row.
let gatedProjection = """
  -- @projection gated
  -- @create
  CREATE TABLE gated (position bigint PRIMARY KEY);
  CREATE FUNCTION wait() RETURNS void LANGUAGE plpgsql AS $$
  BEGIN WHILE EXISTS (SELECT FROM public.gate) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
  -- @on Added
  SELECT wait() WHERE event.position = 11;
  INSERT INTO gated VALUES (event.position);

  """
