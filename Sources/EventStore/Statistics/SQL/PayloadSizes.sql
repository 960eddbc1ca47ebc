-- How large payloads are, as JSON text: of all events of {source}, and of each of the most frequent types.
SELECT p.event_type, p.is_total, p.examined, p.sizes[1]::bigint AS median, p.sizes[2]::bigint AS high, p.largest::bigint AS largest
FROM (
  SELECT s.event_type, grouping(s.event_type) = 1 AS is_total, count(*) AS examined,
         percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY s.bytes) AS sizes, max(s.bytes) AS largest
  FROM (SELECT e.event_type::text AS event_type, octet_length(e.event_data::text) AS bytes FROM {source} OFFSET 0) AS s
  WHERE s.bytes IS NOT NULL
  GROUP BY GROUPING SETS ((s.event_type), ())
) AS p
WHERE p.examined > 0
ORDER BY p.is_total DESC, p.examined DESC, p.event_type COLLATE "C" LIMIT {limit}
