-- The last value of a column that begins with $1, in the order of NamesByPrefix.sql, with the same {order} and {end}. All
-- that begin so have in common what the first and the last have, where that is the order of bytes.
SELECT e.{column}::text FROM {events} e
WHERE e.{column} {order} >= $1 {end}
ORDER BY e.{column} {order} DESC LIMIT 1
