-- A change of events that is allowed is known by its row in the audit, written before it in the same transaction.
ALTER TABLE annals.audit ADD transaction xid8;
ALTER TABLE annals.audit ALTER transaction SET DEFAULT pg_current_xact_id();
CREATE INDEX ON annals.audit (at);
COMMENT ON COLUMN annals.audit.transaction IS 'The transaction of the change, by the numbers of the cluster that it was made in';

-- For triggers on tables of events, with the store's name as argument, and on the audit, with none. Who changes events need
-- not be able to read the audit; names are those of this file whatever the search path of the session.
CREATE FUNCTION annals.refuse_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- In a cluster that a dump was restored into, a number may be given again: the time tells them apart.
  IF TG_OP IN ('UPDATE', 'DELETE') AND TG_NARGS = 1 AND EXISTS (
    SELECT FROM annals.audit a
    WHERE a.at = transaction_timestamp() AND a.transaction = pg_current_xact_id() AND a.store = TG_ARGV[0]
      AND a.action IN ('redact', 'archive'))
  THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION USING
    ERRCODE = 'insufficient_privilege',
    MESSAGE = format('%s of %I.%I is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
    DETAIL = format('The trigger %I protects it.', TG_NAME);
END $$;
COMMENT ON FUNCTION annals.refuse_change() IS 'Refuses to change events, but for a redaction or an archiving that is in the audit';
