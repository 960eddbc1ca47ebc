-- @layout spatie
-- @about spatie/laravel-event-sourcing
-- @parameter schema public
-- @parameter table stored_events
-- @table :"schema".:"table"
-- spatie/laravel-event-sourcing 7, https://github.com/spatie/laravel-event-sourcing:
-- database/migrations/create_stored_events_table.php.stub. Events that no aggregate root recorded are in stream none, in
-- the order of their numbers. An event has no id: it is made from its number. Times are in the application's zone, and are
-- taken as UTC.
SELECT lpad(to_hex(e.id), 32, '0')::uuid AS id,
       coalesce(e.aggregate_uuid::text, 'none') AS aggregate_id,
       e.event_class::text AS event_type,
       e.event_properties::jsonb AS event_data,
       coalesce(e.aggregate_version, row_number() OVER (PARTITION BY e.aggregate_uuid ORDER BY e.id))::integer AS version,
       e.created_at AS "timestamp",
       e.meta_data::jsonb AS metadata,
       e.id AS position
FROM :"schema".:"table" AS e
