-- A replay by several workers is done with some events before others that lie below them.
ALTER TABLE annals.checkpoints ADD done_ahead bigint[];
COMMENT ON COLUMN annals.checkpoints.done_ahead IS 'Positions after the checkpoint that are done all the same';
