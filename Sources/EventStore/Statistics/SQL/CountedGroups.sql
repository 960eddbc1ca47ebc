-- Events by what they have in common. Events of a stream are put together first: to count the different streams of each
-- group, PostgreSQL would sort all events. {keys} of a group, by name; {parts} of these what a stream alone does not tell, and
-- the stream.
SELECT {shown} g.events, g.is_estimate, g.streams, g.bytes, g.first_time, g.last_time
FROM (
  SELECT {keys} round(sum(s.events) * {factor})::bigint AS events, {is_estimate} AS is_estimate, {streams} AS streams,
         round(sum(s.bytes) * {factor})::bigint AS bytes, min(s.first_time) AS first_time, max(s.last_time) AS last_time
  FROM (
    SELECT {parts} count(*) AS events, {summary}
    FROM {source} WHERE {conditions} GROUP BY {part_numbers}
  ) AS s
  GROUP BY {key_numbers}
) AS g
ORDER BY {order}
