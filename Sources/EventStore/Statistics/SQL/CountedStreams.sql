-- What a list shows of each stream, by one pass over the events.
SELECT e.aggregate_id::text AS aggregate_id, count(*) AS events, false AS is_estimate, false AS has_estimated_times, {summary}
FROM {events} e WHERE {conditions} GROUP BY e.aggregate_id {having} ORDER BY {order}
