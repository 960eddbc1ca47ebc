-- How the paths of events change: the JSON types of each before and after, with the number of events, the first of
-- them, and the number of events that were compared.
WITH RECURSIVE sample AS MATERIALIZED (
  SELECT *, row_number() OVER () AS annals_number FROM {sample}
),
-- Both sides are read together. Members that are equal on both are not descended into, since nothing below them
-- changes. Elements of an array are not paired: they share a path, which has the types of all of them.
node (number, path, before, after) AS (
  SELECT annals_number, '.', annals_data, event_data FROM sample WHERE event_data IS DISTINCT FROM annals_data
  UNION ALL
  SELECT node.number, CASE WHEN node.path = '.' AND child.step <> '[]' THEN '' ELSE node.path END || child.step,
         child.before, child.after
  FROM node CROSS JOIN LATERAL (
    SELECT {step}, m.before, m.after
    FROM (SELECT coalesce(o.key, n.key) AS key, o.value AS before, n.value AS after
          FROM jsonb_each(CASE jsonb_typeof(node.before) WHEN 'object' THEN node.before END) AS o
          FULL JOIN jsonb_each(CASE jsonb_typeof(node.after) WHEN 'object' THEN node.after END) AS n ON n.key = o.key
         ) AS m
    WHERE m.before IS DISTINCT FROM m.after
    UNION ALL
    SELECT '[]', o.value, NULL
    FROM jsonb_array_elements(CASE jsonb_typeof(node.before) WHEN 'array' THEN node.before END) AS o
    UNION ALL
    SELECT '[]', NULL, n.value
    FROM jsonb_array_elements(CASE jsonb_typeof(node.after) WHEN 'array' THEN node.after END) AS n
  ) AS child (step, before, after)
)
SELECT e.annals_type AS type, c.path, c.before, c.after, count(*) AS events, min({key}) AS first,
       (SELECT count(*) FROM sample) AS compared
FROM sample AS e JOIN (
  SELECT number, path, string_agg(DISTINCT jsonb_typeof(before), '|') AS before,
         string_agg(DISTINCT jsonb_typeof(after), '|') AS after
  FROM node GROUP BY number, path
) AS c ON c.number = e.annals_number
WHERE c.before IS DISTINCT FROM c.after
GROUP BY 1, 2, 3, 4 ORDER BY 1, c.path COLLATE "C", 3, 4
