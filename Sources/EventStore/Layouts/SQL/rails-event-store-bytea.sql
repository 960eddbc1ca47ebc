-- @layout rails-event-store-bytea
-- @about RailsEventStore with data_type binary and a JSON serializer
-- @parameter schema public
-- @table :"schema".event_store_events
-- @table :"schema".event_store_events_in_streams
-- RailsEventStore 2 and 3, https://github.com/RailsEventStore/rails_event_store:
-- ruby_event_store-active_record, generators/templates, with data_type binary.
-- An event belongs to the stream that it was published to, the first that it was put into: links to others do not count.
-- A stream that was written with expected_version any, the default, has no positions: its events are counted. What was
-- published to no stream is in stream all.
SELECT v.event_id AS id,
       v.stream AS aggregate_id,
       v.event_type,
       convert_from(v.data, 'UTF8')::jsonb AS event_data,
       v.version,
       v.created_at AS "timestamp",
       convert_from(v.metadata, 'UTF8')::jsonb - 'types' AS metadata,
       v.position
FROM (
  SELECT e.event_id, coalesce(s.stream, 'all')::text AS stream, e.event_type, e.data, e.metadata, e.created_at,
         coalesce(s.position + 1, row_number() OVER (PARTITION BY s.stream ORDER BY e.id))::integer AS version,
         e.id AS position
  FROM :"schema".event_store_events AS e
  LEFT JOIN LATERAL (
    SELECT l.stream, l.position FROM :"schema".event_store_events_in_streams AS l
    WHERE l.event_id = e.event_id ORDER BY l.id LIMIT 1) AS s ON true
) AS v
