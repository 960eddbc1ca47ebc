-- @layout marten-conjoined
-- @about Marten with conjoined tenancy: a stream is a tenant and a key
-- @parameter schema public
-- @table :"schema".mt_events
-- @positions dense
-- @may-begin-later
-- Marten, as layout marten, for stores in which several tenants may have a stream of the same key.
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
         jsonb_strip_nulls(jsonb_build_object('tenant_id', e.tenant_id,
           'correlation_id', to_jsonb(e) -> 'correlation_id', 'causation_id', to_jsonb(e) -> 'causation_id',
           'headers', to_jsonb(e) -> 'headers', 'user_name', to_jsonb(e) -> 'user_name')) AS metadata,
         e.seq_id AS position
  FROM :"schema".mt_events AS e
  WHERE e.type <> 'tombstone' AND is_skipped IS NOT TRUE
) AS events
