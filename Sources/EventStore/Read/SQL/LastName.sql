-- The last value of a column that begins with $1, in the order of NamesByPrefix.sql, with the same {order} and {end}.
-- In the order of bytes, all values between the first and the last share what these two begin with.
SELECT e.{column}::text FROM {events} e
WHERE e.{column} {order} >= $1 {end}
ORDER BY e.{column} {order} DESC LIMIT 1
