-- @layout rails-event-store-yaml
-- @about RailsEventStore with data_type binary and its YAML serializer: payloads as text
-- @parameter schema public
-- @table :"schema".event_store_events
-- @table :"schema".event_store_events_in_streams
-- RailsEventStore 2 and 3, https://github.com/RailsEventStore/rails_event_store:
-- ruby_event_store-active_record, generators/templates, with data_type binary. The server does not read
-- YAML: the payload is its text, and of the metadata there are correlation and causation.
-- An event belongs to the stream that it was published to, the first that it was put into: links to others do not count.
-- A stream that was written with expected_version any, the default, has no positions: its events are counted. What was
-- published to no stream is in stream all.
SELECT e.event_id AS id,
       coalesce(s.stream, 'all')::text AS aggregate_id,
       e.event_type,
       jsonb_build_object('yaml', convert_from(e.data, 'UTF8')) AS event_data,
       coalesce(s.position + 1, row_number() OVER (PARTITION BY s.stream ORDER BY e.id))::integer AS version,
       e.created_at AS "timestamp",
       nullif(jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', substring(convert_from(e.metadata, 'UTF8') from '(?n)^:correlation_id: (.*)$'),
         'causation_id', substring(convert_from(e.metadata, 'UTF8') from '(?n)^:causation_id: (.*)$'))), '{}') AS metadata,
       e.id AS position
FROM :"schema".event_store_events AS e
LEFT JOIN LATERAL (
  SELECT l.stream, l.position FROM :"schema".event_store_events_in_streams AS l
  WHERE l.event_id = e.event_id ORDER BY l.id LIMIT 1) AS s ON true
