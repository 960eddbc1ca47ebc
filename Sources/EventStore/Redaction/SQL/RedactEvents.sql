-- Redacts some events, and records the hashes that manifests have (EventHashes.sql), before and after. {from} reads
-- events e, and n with what becomes of them. The row is found by its place the second time, not by the index again.
WITH picked AS MATERIALIZED (
  SELECT e.tableoid AS part, e.ctid AS place, e.id, e.aggregate_id, e.version, e.event_type::text AS event_type, n.event_data, n.metadata,
         sha256(record_send(ROW(e.id, e.event_type::text, e.event_data, {timestamp}, {metadata}))) AS hash_before,
         sha256(record_send(ROW(e.id, e.event_type::text, n.event_data, {timestamp}, n.metadata))) AS hash_after
  FROM unnest({names}::text[], {versions}::integer[]) AS k (aggregate_id, version)
  JOIN {from} ON e.aggregate_id = k.aggregate_id AND e.version = k.version
), recorded AS (
  INSERT INTO annals.redactions (audit, store, event_id, aggregate_id, version, event_type, hash_before, hash_after)
  SELECT {audit}, {store}, p.id, p.aggregate_id, p.version, p.event_type, p.hash_before, p.hash_after FROM picked AS p
)
UPDATE {events} AS e SET {changes} FROM picked AS p
WHERE e.ctid = p.place AND e.tableoid = p.part
