-- The upcaster files of a generation, as they were given. The hash at the end of the definition covers their contents.
-- NULL for generations from before this migration.
ALTER TABLE annals.generations ADD upcasters text[];
COMMENT ON COLUMN annals.generations.upcasters IS 'Paths of the upcaster files that its events go through';
