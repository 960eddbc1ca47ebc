-- The events that are stored already, by id: where they are, and which columns differ from the given ones. A table
-- without a unique index may hold several events with one id; the result is then one that does not differ.
-- $1 ids, $2 aggregates, $3 types, $4 payloads, $5 times (NULL fits any), $6 metadata
SELECT DISTINCT ON (n.ordinal) n.ordinal, e.aggregate_id, e.version, {position}, e.event_type, e."timestamp"::timestamptz,
       concat_ws(', ',
         CASE WHEN e.aggregate_id <> n.aggregate_id THEN 'aggregate_id' END,
         CASE WHEN e.event_type <> n.event_type THEN 'event_type' END,
         CASE WHEN e.event_data <> n.event_data THEN 'event_data' END,
         CASE WHEN e."timestamp" <> n.time THEN 'timestamp' END,
         CASE WHEN {stored_metadata} IS DISTINCT FROM n.metadata THEN 'metadata' END)
FROM unnest($1, $2, $3, $4, $5, $6)
  WITH ORDINALITY AS n (id, aggregate_id, event_type, event_data, time, metadata, ordinal)
JOIN {events} AS e ON e.id = n.id{same_aggregate}
ORDER BY 1, 7, 3
