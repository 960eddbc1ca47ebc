-- @layout axon-jpa
-- @about Axon Framework 4, JpaEventStorageEngine with large objects and the Jackson serializer
-- @parameter schema public
-- @table :"schema".domain_event_entry
-- @positions late
-- Axon Framework, DomainEventEntry. Hibernate takes numbers from the sequence in blocks, so a lower number may appear
-- after a higher one. Sequence numbers start at 0. Times are text.
SELECT e.event_identifier::uuid AS id,
       e.aggregate_identifier AS aggregate_id,
       e.payload_type AS event_type,
       convert_from(lo_get(e.payload), 'UTF8')::jsonb AS event_data,
       (e.sequence_number + 1)::integer AS version,
       e.time_stamp::timestamptz AS "timestamp",
       convert_from(lo_get(e.meta_data), 'UTF8')::jsonb AS metadata,
       e.global_index AS position
FROM :"schema".domain_event_entry AS e
