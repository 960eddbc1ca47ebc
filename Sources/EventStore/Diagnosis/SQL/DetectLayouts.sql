-- The tables of frameworks that shipped layouts read: the layout, others that read the same tables, schema and table.
-- It reads only the catalogues, which everybody may read.
WITH tables AS (
  SELECT n.nspname::text AS schema, c.relname::text AS name, ARRAY(
    SELECT entry FROM pg_attribute a CROSS JOIN LATERAL (
      VALUES (a.attname::text), (format('%s %s', a.attname, format_type(a.atttypid, NULL)))) AS e (entry)
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT 'unique ' || a.attname FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisunique
    UNION ALL SELECT 'partitioned ' || a.attname FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (p.partattrs) WHERE p.partrelid = c.oid
  ) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'annals')
), rules (layout, others, name, columns, lacks, beside) AS (VALUES
  -- A NULL name is chosen by the application. The columns include those of keys; "beside" lists tables of the same
  -- schema. Names are quoted where their braces would make a place of this file.
  ('commanded', 'commanded-links', 'events', '{event_id uuid,event_type,causation_id,data jsonb}', '{}',
   '{stream_events,streams}'),
  ('commanded-bytea', '', 'events', '{event_id uuid,event_type,causation_id,data bytea}', '{}',
   '{stream_events,streams}'),
  ('emmett', '', 'emt_messages', '{message_kind,message_data jsonb,message_metadata,global_position,is_archived}', '{}',
   '{}'),
  ('eventsauce', '', NULL, '{id,event_id uuid,aggregate_root_id uuid,version,payload}', '{}', '{}'),
  ('eventuous', '', 'messages', '{message_id uuid,message_type,stream_position,global_position,json_data jsonb}', '{}',
   '{"streams"}'),
  ('marten', '', 'mt_events', '{seq_id bigint,stream_id,version,data jsonb,type}',
   '{unique tenant_id,partitioned tenant_id}', '{}'),
  ('marten-conjoined', '', 'mt_events', '{seq_id bigint,stream_id,version,data jsonb,type,unique tenant_id}',
   '{partitioned tenant_id}', '{}'),
  ('marten-tenant-partitions', '', 'mt_events',
   '{seq_id bigint,stream_id,version,data jsonb,type,partitioned tenant_id}', '{}', '{}'),
  ('message-db', 'message-db-eventide,message-db-protean', 'messages',
   '{id uuid,stream_name,type,position bigint,global_position bigint,data jsonb,metadata jsonb,time}', '{}', '{}'),
  ('patchlevel', '', NULL, '{id,stream,playhead,event_id,event_name,event_payload,recorded_on,custom_headers}', '{}', '{}'),
  ('patchlevel-aggregate', '', NULL, '{id,aggregate,aggregate_id,playhead,event,payload,recorded_on,custom_headers}', '{}',
   '{}'),
  ('patchlevel-stream', '', NULL, '{id,stream,playhead,event,payload,recorded_on,custom_headers}', '{}', '{}'),
  ('pekko-jdbc', '', NULL,
   '{ordering bigint,persistence_id,sequence_number,event_ser_id,event_ser_manifest,event_payload bytea}', '{}', '{}'),
  ('pyeventsourcing', 'pyeventsourcing-opaque', NULL,
   '{originator_id,originator_version,topic,state bytea,notification_id}', '{}', '{}'),
  ('rails-event-store', '', 'event_store_events', '{event_id uuid,event_type,metadata,data}', '{data bytea}',
   '{"event_store_events_in_streams"}'),
  ('rails-event-store-yaml', 'rails-event-store-bytea', 'event_store_events',
   '{event_id uuid,event_type,metadata bytea,data bytea}', '{}', '{"event_store_events_in_streams"}'),
  ('sequent', 'sequent-ordered', 'events',
   '{aggregate_id uuid,sequence_number integer,event_type_id,event_json jsonb,command_id}', '{}',
   '{event_types,commands,command_types}'),
  ('spatie', '', NULL, '{id,aggregate_uuid,aggregate_version,event_class,event_properties,meta_data,created_at}', '{}',
   '{}'),
  ('sqlstreamstore', '', 'messages', '{stream_id_internal,stream_version,position,message_id uuid,json_data}', '{}',
   '{"streams"}')
)
SELECT r.layout, r.others, t.schema, t.name
FROM rules r JOIN tables t ON (r.name IS NULL OR t.name = r.name)
WHERE t.columns @> r.columns::text[] AND NOT t.columns && r.lacks::text[]
  AND r.beside::text[] <@ ARRAY(SELECT o.name FROM tables o WHERE o.schema = t.schema)
ORDER BY t.schema, t.name, r.layout
