-- @layout commanded-bytea
-- @about EventStore for Elixir with column_data_type bytea, its default, and a JSON serializer
-- @parameter schema public
-- @table :"schema".stream_events
-- @positions dense
-- EventStore for Elixir, as layout commanded, where the payload is the text of JSON in bytea. Payloads of other
-- serializers, such as Erlang's terms, cannot be read.
SELECT e.event_id AS id,
       s.stream_uuid AS aggregate_id,
       e.event_type,
       convert_from(e.data, 'UTF8')::jsonb AS event_data,
       a.original_stream_version::integer AS version,
       e.created_at AS "timestamp",
       coalesce(convert_from(e.metadata, 'UTF8')::jsonb, '{}') || jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', e.correlation_id, 'causation_id', e.causation_id)) AS metadata,
       a.stream_version AS position
FROM :"schema".stream_events AS a
JOIN :"schema".streams AS s ON s.stream_id = a.original_stream_id
JOIN :"schema".events AS e ON e.event_id = a.event_id
WHERE a.stream_id = 0
