-- @layout marten
-- @about Marten, without tombstones and skipped events
-- @parameter schema public
-- @table :"schema".mt_events
-- @positions dense
-- @may-begin-later
-- Marten, https://github.com/JasperFx/marten: src/Marten/Events/Schema/EventsTable.cs, QuickAppendEventFunction.cs.
-- It takes a number from mt_events_sequence before it locks mt_events, so the locks do not show which numbers may still
-- appear. A missing number comes later, or belongs to a transaction that failed.
-- Columns that exist only with a setting of Marten (headers, correlation_id,
-- causation_id, user_name) are read through to_jsonb.
-- A tombstone fills the number of a failed transaction, and has that number as version. Tombstones are not events;
-- neither are events that Marten skips. is_skipped, and bdata of binary payloads, are the column if the table has one;
-- otherwise they are that of the row around it.
SELECT events.*
FROM (SELECT false AS is_skipped, NULL::bytea AS bdata) AS without CROSS JOIN LATERAL (
  SELECT e.id,
         e.stream_id::text AS aggregate_id,
         e.stream_id AS aggregate_uuid,
         e.type::text AS event_type,
         CASE WHEN bdata IS NULL THEN e.data ELSE jsonb_build_object('base64', encode(bdata, 'base64')) END AS event_data,
         CASE WHEN e.type <> 'tombstone' THEN e.version::integer END AS version,
         e."timestamp",
         nullif(jsonb_strip_nulls(jsonb_build_object(
           'correlation_id', to_jsonb(e) -> 'correlation_id', 'causation_id', to_jsonb(e) -> 'causation_id',
           'headers', to_jsonb(e) -> 'headers', 'user_name', to_jsonb(e) -> 'user_name')), '{}') AS metadata,
         e.seq_id AS position
  FROM :"schema".mt_events AS e
  WHERE e.type <> 'tombstone' AND is_skipped IS NOT TRUE
) AS events
