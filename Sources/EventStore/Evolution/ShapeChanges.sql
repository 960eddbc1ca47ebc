-- How the paths of events change: the JSON types of each before and after, with the number of events, the first of
-- them, and the number of events that were compared.
WITH sample AS MATERIALIZED (SELECT * FROM {sample})
SELECT e.annals_type, c.path, c.before, c.after, count(*), min({key}), (SELECT count(*) FROM sample)
FROM sample AS e CROSS JOIN LATERAL (
  SELECT coalesce(o.path, n.path) AS path, o.types AS before, n.types AS after
  FROM (SELECT path, string_agg(DISTINCT jsonb_typeof(value), '|') AS types
        FROM ({before} SELECT path, value FROM node) AS node GROUP BY path) AS o
  FULL JOIN (SELECT path, string_agg(DISTINCT jsonb_typeof(value), '|') AS types
             FROM ({after} SELECT path, value FROM node) AS node GROUP BY path) AS n ON n.path = o.path
  WHERE o.types IS DISTINCT FROM n.types
) AS c
GROUP BY 1, 2, 3, 4 ORDER BY 1, c.path COLLATE "C", 3, 4
