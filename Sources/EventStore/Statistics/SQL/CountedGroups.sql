-- Counts events in groups: {keys}, by name, of the rows of {source}; {key_numbers} are their places.
SELECT {shown} g.events, g.is_estimate, g.streams, g.bytes, g.first_time, g.last_time
FROM (
  SELECT {keys} round({events} * {factor})::bigint AS events, {is_estimate} AS is_estimate, {streams} AS streams,
         round({bytes} * {factor})::bigint AS bytes, {times}
  FROM {source} GROUP BY {key_numbers}
) AS g
ORDER BY {order}
