-- @layout marten-tenant-partitions
-- @about Marten with UseTenantPartitionedEvents, stream by stream
-- @parameter schema public
-- @table :"schema".mt_events
-- @positions late
-- @may-begin-later
-- Marten, as layout marten-conjoined, where each tenant has its own sequence: the numbers do not order the whole store.
SELECT events.*
FROM (SELECT false AS is_skipped, NULL::bytea AS bdata) AS without CROSS JOIN LATERAL (
  SELECT e.id,
         e.tenant_id || '/' || e.stream_id AS aggregate_id,
         e.tenant_id AS aggregate_tenant,
         e.stream_id AS aggregate_uuid,
         e.tenant_id AS category,
         e.type::text AS event_type,
         CASE WHEN bdata IS NULL THEN e.data ELSE jsonb_build_object('base64', encode(bdata, 'base64')) END AS event_data,
         CASE WHEN e.type <> 'tombstone' THEN e.version::integer END AS version,
         e."timestamp",
         jsonb_strip_nulls(jsonb_build_object('tenant_id', e.tenant_id, 'seq_id', e.seq_id,
           'correlation_id', to_jsonb(e) -> 'correlation_id', 'causation_id', to_jsonb(e) -> 'causation_id',
           'headers', to_jsonb(e) -> 'headers', 'user_name', to_jsonb(e) -> 'user_name')) AS metadata
  FROM :"schema".mt_events AS e
  WHERE e.type <> 'tombstone' AND is_skipped IS NOT TRUE
) AS events
