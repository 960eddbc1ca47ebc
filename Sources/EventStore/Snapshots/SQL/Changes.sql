-- The places where two JSON values differ, from the whole value down: a row for each member and element that is not the
-- same in both, NULL where it is missing. Paths are those of jq, without the leading dot.
annals_changes (key, path, old, new) AS (
  SELECT p.key, '', p.old, p.new FROM annals_pairs AS p WHERE p.old IS DISTINCT FROM p.new
  UNION ALL
  SELECT c.key, c.path || step.name, step.old, step.new
  FROM annals_changes AS c CROSS JOIN LATERAL (
    SELECT CASE WHEN key ~ '^[A-Za-z_][A-Za-z0-9_]*$' THEN '.' || key ELSE '.' || to_json(key) END AS name,
           o.value AS old, n.value AS new
    FROM jsonb_each(CASE jsonb_typeof(c.old) WHEN 'object' THEN c.old END) AS o
    FULL JOIN jsonb_each(CASE jsonb_typeof(c.new) WHEN 'object' THEN c.new END) AS n USING (key)
    WHERE o.value IS DISTINCT FROM n.value
    UNION ALL
    SELECT '[' || index - 1 || ']', o.value, n.value
    FROM jsonb_array_elements(CASE jsonb_typeof(c.old) WHEN 'array' THEN c.old END) WITH ORDINALITY AS o (value, index)
    FULL JOIN jsonb_array_elements(CASE jsonb_typeof(c.new) WHEN 'array' THEN c.new END) WITH ORDINALITY AS n (value, index)
      USING (index)
    WHERE o.value IS DISTINCT FROM n.value
  ) AS step
  WHERE {descends}
)
