ALTER TABLE {events} ADD COLUMN metadata jsonb;
