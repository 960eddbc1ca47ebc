-- The categories of the ids in a range, in the order of bytes: the beginnings of ids before the first "-".
-- After an id with "-" the search continues after all ids of its category, which end before "." (the next character).
-- Such an id is left out if its category is also an id by itself, since that came before. The two are not adjacent: in
-- the order of bytes, ids with a character below "-", such as "a b", come between them. {limit} ends the search.
WITH RECURSIVE ids (id, name) AS (
  (SELECT e.aggregate_id::text, split_part(e.aggregate_id, '-', 1) FROM {events} e
   WHERE {range} ORDER BY e.aggregate_id {order} LIMIT 1)
  UNION ALL
  SELECT next.id, split_part(next.id, '-', 1)
  FROM ids i CROSS JOIN LATERAL (
    SELECT (SELECT e.aggregate_id::text FROM {events} e
            WHERE e.aggregate_id {order} >= CASE WHEN i.id = i.name THEN i.id || chr(1) ELSE i.name || '.' END AND {range}
            ORDER BY e.aggregate_id {order} LIMIT 1) AS id
  ) AS next
  WHERE i.id IS NOT NULL
)
SELECT i.name FROM ids i
WHERE i.id = i.name
   OR i.id IS NOT NULL AND NOT EXISTS (SELECT FROM {events} e WHERE e.aggregate_id = i.name AND {range})
LIMIT {limit}
