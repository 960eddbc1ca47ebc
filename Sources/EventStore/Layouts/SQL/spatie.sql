-- @layout spatie
-- @about spatie/laravel-event-sourcing
-- @parameter schema public
-- @parameter table stored_events
-- @table :"schema".:"table"
-- spatie/laravel-event-sourcing 7, https://github.com/spatie/laravel-event-sourcing:
-- database/migrations/create_stored_events_table.php.stub. Events that no aggregate root recorded are in stream none,
-- in the order of their numbers; the version is the place in that order. Events have no id: it is made from the number.
-- Times are in the application's zone, and are taken as UTC.
SELECT lpad(to_hex(e.id), 32, '0')::uuid AS id,
       coalesce(e.aggregate_uuid::text, 'none') AS aggregate_id,
       e.aggregate_uuid AS aggregate_uuid,
       e.event_class::text AS event_type,
       e.event_properties::jsonb AS event_data,
       coalesce(e.aggregate_version, CASE
         WHEN e.aggregate_uuid IS NULL THEN width_bucket(e.id, (
           SELECT array_agg(n.id ORDER BY n.id) FROM :"schema".:"table" AS n WHERE n.aggregate_uuid IS NULL))
         ELSE (
           SELECT count(*) FROM :"schema".:"table" AS o WHERE o.aggregate_uuid = e.aggregate_uuid AND o.id <= e.id)
       END)::integer AS version,
       e.created_at AS "timestamp",
       e.meta_data::jsonb AS metadata,
       e.id AS position
FROM :"schema".:"table" AS e
