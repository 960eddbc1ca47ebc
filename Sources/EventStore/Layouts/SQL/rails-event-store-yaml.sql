-- @layout rails-event-store-yaml
-- @about RailsEventStore with data_type binary and its YAML serializer: payloads as text
-- @parameter schema public
-- @table :"schema".event_store_events
-- @table :"schema".event_store_events_in_streams
-- RailsEventStore 2 and 3, https://github.com/RailsEventStore/rails_event_store:
-- ruby_event_store-active_record, generators/templates, with data_type binary. The server does not read
-- YAML: the payload is its text, and the metadata are only correlation and causation.
-- An event belongs to the stream that it was published to, which is the first one. Links to other streams do not count.
-- A stream that was written with expected_version any, the default, has no positions: the version is the count of its
-- events. An event that was published to no stream is in stream all.
-- The events are counted before they are joined, so only the payloads that the query asks for are read.
SELECT e.event_id AS id,
       coalesce(n.stream, 'all')::text AS aggregate_id,
       n.stream AS aggregate_key,
       'all' AS aggregate_rest,
       e.event_type,
       jsonb_build_object('yaml', convert_from(e.data, 'UTF8')) AS event_data,
       n.version,
       e.created_at AS "timestamp",
       nullif(jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', substring(convert_from(e.metadata, 'UTF8') from '(?n)^:correlation_id: (.*)$'),
         'causation_id', substring(convert_from(e.metadata, 'UTF8') from '(?n)^:causation_id: (.*)$'))), '{}') AS metadata,
       e.id AS position
FROM :"schema".event_store_events AS e
JOIN (
  SELECT o.id, s.stream,
         coalesce(s.position + 1, row_number() OVER (PARTITION BY s.stream ORDER BY o.id))::integer AS version
  FROM :"schema".event_store_events AS o
  LEFT JOIN :"schema".event_store_events_in_streams AS s ON s.event_id = o.event_id AND NOT EXISTS (
    SELECT FROM :"schema".event_store_events_in_streams AS l WHERE l.event_id = s.event_id AND l.id < s.id)
) AS n ON n.id = e.id
