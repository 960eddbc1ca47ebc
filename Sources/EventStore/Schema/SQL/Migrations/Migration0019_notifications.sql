-- For triggers on tables of events, with the channel as argument. Many notifications of a transaction are one.
CREATE FUNCTION annals.notify_followers() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END $$;
COMMENT ON FUNCTION annals.notify_followers() IS 'Tells followers of a table of events that there are new ones';
