-- The upcaster files that the events of a generation go through, as they were given; their contents are in the hash that
-- the definition ends with. NULL where nobody knows them, as of generations from before.
ALTER TABLE annals.generations ADD upcasters text[];
COMMENT ON COLUMN annals.generations.upcasters IS 'Paths of the upcaster files that its events go through';
