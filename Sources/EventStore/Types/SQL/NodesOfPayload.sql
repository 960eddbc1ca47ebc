-- The values inside a payload: node (path, value).
-- Elements of an array share a path, so a shape does not say how many there are, only whether there are any.
WITH RECURSIVE node (path, value) AS (
  SELECT '.', {payload}
  UNION ALL
  SELECT CASE WHEN node.path = '.' AND child.step <> '[]' THEN '' ELSE node.path END || child.step, child.value
  FROM node CROSS JOIN LATERAL (
    SELECT {step}, m.value
    FROM jsonb_each(CASE jsonb_typeof(node.value) WHEN 'object' THEN node.value END) AS m
    UNION ALL
    SELECT '[]', a.value
    FROM jsonb_array_elements(CASE jsonb_typeof(node.value) WHEN 'array' THEN node.value END) AS a
  ) AS child (step, value)
  WHERE jsonb_typeof(node.value) IN ('object', 'array')
)
