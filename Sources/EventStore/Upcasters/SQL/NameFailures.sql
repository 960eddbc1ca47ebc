-- Finds the events of a chunk that the upcasters fail for, one by one, and returns them in a setting: a read-only
-- transaction and a standby can set it, but cannot create a function or a table.
DECLARE
  annals_event record;
  annals_failures jsonb := '[]';
  annals_count bigint := 0;
BEGIN
  FOR annals_event IN
    SELECT e.aggregate_id, e.version, {position} AS position, e.event_type FROM {events} AS e
    WHERE {condition} ORDER BY 3, 1, 2
  LOOP
    BEGIN
      PERFORM {values} FROM {source} AS event
      WHERE event.aggregate_id = annals_event.aggregate_id AND event.version = annals_event.version;
    EXCEPTION WHEN OTHERS THEN
      annals_count := annals_count + 1;
      IF annals_count <= {limit} THEN
        annals_failures := annals_failures || jsonb_build_array(jsonb_build_object(
          'aggregate_id', annals_event.aggregate_id, 'version', annals_event.version,
          'position', annals_event.position, 'type', annals_event.event_type, 'message', SQLERRM, 'state', SQLSTATE));
      END IF;
    END;
  END LOOP;
  PERFORM set_config('annals.failures', annals_failures::text, true), set_config('annals.failure_count', annals_count::text, true);
END
