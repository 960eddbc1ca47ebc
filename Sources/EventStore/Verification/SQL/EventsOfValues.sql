-- As DuplicateValues.sql, for the values {values} that were found before: Citus cannot join a table to itself by a
-- column other than its distribution column. {or_null} adds the events without a value.
WITH found AS MATERIALIZED (
  SELECT {value} AS value, e.aggregate_id, e.version, {position} AS position, {scope} AS is_asked_for
  FROM {events} e WHERE {value} = ANY ({values}) {or_null}
)
SELECT e.value::text, count(*) AS copies,
       (array_agg(e.aggregate_id ORDER BY e.aggregate_id, e.version))[1] AS aggregate_id,
       (array_agg(e.version ORDER BY e.aggregate_id, e.version))[1]::bigint AS version, min(e.position) AS position,
       array_to_string((array_agg(concat_ws(' ', e.aggregate_id, e.version) ORDER BY e.aggregate_id, e.version))[1:5], ', ') AS events
FROM found e GROUP BY e.value
HAVING bool_or(e.is_asked_for)
ORDER BY e.value
