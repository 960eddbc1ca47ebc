-- Values of {value}, an id or a position, that several events have, or an event lacks. $1 is not needed.
SELECT ({value})::text, count(*), (array_agg(aggregate_id ORDER BY aggregate_id, version))[1],
       (array_agg(version ORDER BY aggregate_id, version))[1]::bigint, min({position}),
       array_to_string((array_agg(concat_ws(' ', aggregate_id, version) ORDER BY aggregate_id, version))[1:5], ', ')
FROM {events} e GROUP BY {value}
HAVING (count(*) > 1 OR {value} IS NULL) AND bool_or({scope})
ORDER BY {value}
