-- The events that a reader has met up to its checkpoint: their number, and the sum of the hashes of their ids, which
-- does not depend on the order. Both move with the checkpoint, so they lack an event that appears below it later. They
-- are NULL for readers from before this migration. Code that removes events from a store must subtract them here too.
ALTER TABLE annals.generations ADD seen_events bigint, ADD seen_hash bigint;
COMMENT ON COLUMN annals.generations.seen_events IS 'Events of its types up to the checkpoint, dead letters included, as it met them';
COMMENT ON COLUMN annals.generations.seen_hash IS 'Sum of uuid_hash() of their ids';

ALTER TABLE annals.shards ADD seen_events bigint, ADD seen_hash bigint;
ALTER TABLE annals.checkpoints ADD seen_events bigint, ADD seen_hash bigint,
  ADD aggregate_id text COLLATE "C", ADD category text COLLATE "C", ADD event_types text[] COLLATE "C";
COMMENT ON COLUMN annals.checkpoints.event_types IS 'With aggregate_id and category what filter says in words; of a checkpoint with seen_events';
