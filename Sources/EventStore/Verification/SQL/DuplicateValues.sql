-- Values of {value}, an id or a position, that several events have, or an event lacks. Only the values are counted
-- first: sorting all events too, to describe the copies, takes ten times as long.
WITH copies AS MATERIALIZED (
  SELECT {value} AS value FROM {events} e GROUP BY {value} HAVING count(*) > 1 OR {value} IS NULL
),
found AS (
  SELECT {value} AS value, e.aggregate_id, e.version, {position} AS position, {scope} AS is_asked_for
  FROM {events} e JOIN copies c ON c.value = {value}
  UNION ALL
  SELECT {value}, e.aggregate_id, e.version, {position}, {scope}
  FROM {events} e WHERE {value} IS NULL AND EXISTS (SELECT FROM copies c WHERE c.value IS NULL)
)
SELECT e.value::text, count(*) AS copies,
       (array_agg(e.aggregate_id ORDER BY e.aggregate_id, e.version))[1] AS aggregate_id,
       (array_agg(e.version ORDER BY e.aggregate_id, e.version))[1]::bigint AS version, min(e.position) AS position,
       array_to_string((array_agg(concat_ws(' ', e.aggregate_id, e.version) ORDER BY e.aggregate_id, e.version))[1:5], ', ') AS events
FROM found e GROUP BY e.value
HAVING bool_or(e.is_asked_for)
ORDER BY e.value
