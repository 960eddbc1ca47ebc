-- @layout pekko-jdbc
-- @about Persistence with JDBC of Pekko, and of Akka from 5.0
-- @parameter schema public
-- @parameter table event_journal
-- @table :"schema".:"table"
-- @may-begin-later
-- https://github.com/apache/pekko-persistence-jdbc: core/src/main/resources/schema/postgres. Payloads that the Jackson
-- serializers 31 and 32 (serialization-jackson, reference.conf) wrote as uncompressed JSON are shown;
-- all others, such as CBOR of 33, are shown in base64. The category is the
-- type of an entity, which PersistenceId puts before a |. Events have no id: it is made from stream and number.
SELECT md5(j.persistence_id || ' ' || j.sequence_number)::uuid AS id,
       j.persistence_id AS aggregate_id,
       split_part(j.persistence_id, '|', 1) AS category,
       j.event_ser_manifest AS event_type,
       -- A gzip file begins with these bytes.
       CASE WHEN j.event_ser_id IN (31, 32) AND substring(j.event_payload from 1 for 2) <> '\x1f8b'
            THEN convert_from(j.event_payload, 'UTF8')::jsonb
            ELSE jsonb_build_object('serializer', j.event_ser_id, 'base64', encode(j.event_payload, 'base64'))
       END AS event_data,
       j.sequence_number::integer AS version,
       to_timestamp(j.write_timestamp / 1000.0) AS "timestamp",
       jsonb_build_object('writer', j.writer, 'deleted', j.deleted) AS metadata,
       j.ordering AS position
FROM :"schema".:"table" AS j
