-- Whether an id is unique in the whole table, and not only together with other columns. $1 the events table
SELECT EXISTS (
  SELECT FROM pg_index AS i
  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1 AND a.attname = 'id'
)
