-- @layout axon-jdbc
-- @about Axon Framework 4, JdbcEventStorageEngine with the XStream serializer
-- @parameter schema public
-- @table :"schema".domainevententry
-- Axon Framework, PostgresEventTableFactory. The server does not read XML as JSON: payload and metadata are its text.
-- Sequence numbers start at 0. Times are text.
SELECT e.eventidentifier::uuid AS id,
       e.aggregateidentifier AS aggregate_id,
       e.payloadtype AS event_type,
       jsonb_build_object('xml', convert_from(e.payload, 'UTF8')) AS event_data,
       (e.sequencenumber + 1)::integer AS version,
       e."timestamp"::timestamptz AS "timestamp",
       jsonb_build_object('xml', convert_from(e.metadata, 'UTF8')) AS metadata,
       e.globalindex AS position
FROM :"schema".domainevententry AS e
