-- @layout commanded
-- @about EventStore for Elixir with column_data_type jsonb
-- @parameter schema public
-- @table :"schema".stream_events
-- @positions dense
-- EventStore for Elixir, https://github.com/commanded/eventstore: lib/event_store/sql/init.ex, column_data_type jsonb.
-- Its stream $all, number 0, has every event in commit order; it has holes only where a stream was deleted for good.
-- Here an event linked into other streams is only in its own stream; layout commanded-links shows the links too.
SELECT e.event_id AS id,
       s.stream_uuid AS aggregate_id,
       e.event_type,
       e.data AS event_data,
       a.original_stream_version::integer AS version,
       e.created_at AS "timestamp",
       coalesce(e.metadata, '{}') || jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', e.correlation_id, 'causation_id', e.causation_id)) AS metadata,
       a.stream_version AS position
FROM :"schema".stream_events AS a
JOIN :"schema".streams AS s ON s.stream_id = a.original_stream_id
JOIN :"schema".events AS e ON e.event_id = a.event_id
WHERE a.stream_id = 0
