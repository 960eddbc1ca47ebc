-- @layout prooph
-- @about prooph/pdo-event-store with PostgresSingleStreamStrategy
-- @parameter schema public
-- @parameter table _4228e4a00331b5d5e751db0481828e22a2c3c8ef
-- @table :"schema".:"table"
-- prooph/pdo-event-store, https://github.com/prooph/pdo-event-store: src/PersistenceStrategy. The table of a stream is
-- named _ and the SHA-1 of the stream's name (event_streams.stream_name); the default above is for stream event_stream.
-- A store with a table for each aggregate (PostgresAggregateStreamStrategy) cannot be read with one query.
SELECT e.event_id AS id,
       e.metadata ->> '_aggregate_id' AS aggregate_id,
       e.event_name::text AS event_type,
       e.payload::jsonb AS event_data,
       (e.metadata ->> '_aggregate_version')::integer AS version,
       e.created_at AS "timestamp",
       e.metadata || jsonb_strip_nulls(jsonb_build_object('causation_id', e.metadata -> '_causation_id')) AS metadata,
       e.no AS position
FROM :"schema".:"table" AS e
