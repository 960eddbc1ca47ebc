-- @layout marten
-- @table public.mt_events
-- @positions late
-- Marten, https://github.com/JasperFx/marten: src/Marten/Events/Schema/EventsTable.cs, QuickAppendEventFunction.cs.
-- It takes a number from mt_events_sequence before it holds a lock on mt_events, so nobody can tell from locks
-- which numbers may still appear. Columns that are there only when Marten is told so (headers, correlation_id,
-- causation_id, user_name) come through to_jsonb. With conjoined tenancy, copy this file and add a tenant_id.
SELECT e.id,
       e.stream_id::text AS aggregate_id,
       e.stream_id AS aggregate_uuid,
       e.type::text AS event_type,
       e.data AS event_data,
       e.version::integer AS version,
       e."timestamp",
       nullif(jsonb_strip_nulls(jsonb_build_object(
         'correlation_id', to_jsonb(e) -> 'correlation_id', 'causation_id', to_jsonb(e) -> 'causation_id',
         'headers', to_jsonb(e) -> 'headers', 'user_name', to_jsonb(e) -> 'user_name')), '{}') AS metadata,
       e.seq_id AS position
FROM public.mt_events AS e
