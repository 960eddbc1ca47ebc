-- Values of {value}, an id or a position, that several events have, or an event lacks.
SELECT ({value})::text AS value, count(*) AS copies,
       (array_agg(aggregate_id ORDER BY aggregate_id, version))[1] AS aggregate_id,
       (array_agg(version ORDER BY aggregate_id, version))[1]::bigint AS version, min({position}) AS position,
       array_to_string((array_agg(concat_ws(' ', aggregate_id, version) ORDER BY aggregate_id, version))[1:5], ', ') AS events
FROM {events} e GROUP BY {value}
HAVING (count(*) > 1 OR {value} IS NULL) AND bool_or({scope})
ORDER BY {value}
