-- Ranges of positions that no event has.
SELECT previous + 1 AS first, position - 1 AS last
FROM (SELECT position, coalesce(lag(position) OVER (ORDER BY position), 0) AS previous FROM {events} e) x
WHERE position > previous + 1
ORDER BY position
