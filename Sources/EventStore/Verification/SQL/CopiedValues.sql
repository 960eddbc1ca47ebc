-- The values of {value}, an id or a position, that several events have, and NULL where an event lacks one.
SELECT {value}::text AS value FROM {events} e GROUP BY {value} HAVING count(*) > 1 OR {value} IS NULL ORDER BY {value}
