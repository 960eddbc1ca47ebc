-- @layout commanded-links
-- @about The same, each stream with the events that were linked into it
-- @parameter schema public
-- @table :"schema".stream_events
-- EventStore for Elixir, as layout commanded, but each stream as its readers see it: with the linked events of other
-- streams, at the versions that they have there. An event has a place in each of these streams, so the store as a whole
-- has no order.
SELECT e.event_id AS id,
       s.stream_uuid AS aggregate_id,
       e.event_type,
       e.data AS event_data,
       a.stream_version::integer AS version,
       e.created_at AS "timestamp",
       coalesce(e.metadata, '{}') || jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', e.correlation_id, 'causation_id', e.causation_id)) AS metadata
FROM :"schema".stream_events AS a
JOIN :"schema".streams AS s ON s.stream_id = a.stream_id
JOIN :"schema".events AS e ON e.event_id = a.event_id
WHERE a.stream_id <> 0
