-- The audit that operators read: of which store, from where, and why. Actions become words without spaces, as filters take
-- them; a row whose store nobody knows any more stays without one.
ALTER TABLE annals.audit
  ADD store text COLLATE "C",
  ADD os_user text,
  ADD os_host text,
  ADD address inet,
  ADD reason text;
-- Of rows to come: with ADD it would be that of all there are.
ALTER TABLE annals.audit ALTER address SET DEFAULT inet_client_addr();
COMMENT ON TABLE annals.audit IS 'Who changed what with the tool, other than appending; written in the transaction of the change';
COMMENT ON COLUMN annals.audit.store IS 'The events table, as schema.name; NULL where a change is of the whole database';
COMMENT ON COLUMN annals.audit.os_user IS 'The user of the client''s operating system, as the client says';
COMMENT ON COLUMN annals.audit.os_host IS 'The client''s machine, as the client says';
COMMENT ON COLUMN annals.audit.address IS 'The client''s address, as the server sees it; NULL for a Unix socket';

UPDATE annals.audit AS a SET
  action = CASE a.action
    WHEN 'roll back' THEN 'rollback'
    WHEN 'swap back' THEN 'rollback'
    WHEN 'set checkpoint' THEN 'set-checkpoint'
    WHEN 'rename checkpoint' THEN 'rename-checkpoint'
    WHEN 'remove checkpoint' THEN 'remove-checkpoint'
    WHEN 'discard dead letters' THEN 'discard'
    WHEN 'snapshot prune' THEN 'prune-snapshots'
    ELSE a.action END,
  subject = CASE a.action WHEN 'snapshot prune' THEN 'store ' || a.subject ELSE a.subject END,
  store = CASE
    WHEN a.action = 'snapshot prune' THEN a.subject
    WHEN starts_with(a.subject, 'store ') THEN substr(a.subject, 7)
    ELSE coalesce(
      (SELECT p.store FROM annals.projections p WHERE a.subject = 'projection ' || p.name),
      (SELECT c.store FROM annals.checkpoints c WHERE a.subject = 'checkpoint ' || c.name)) END;
