-- Whether a valid unique index and NOT NULL vouch that no stream holds a version twice, or an event without one.
-- $1 the events table.
SELECT EXISTS (
  SELECT FROM pg_index i
  WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 2
    AND (SELECT array_agg(a.attname::text ORDER BY a.attname) = ARRAY['aggregate_id', 'version']
           AND bool_and(a.attnotnull)
         FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:1]))
)
