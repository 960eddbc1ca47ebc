-- The ids of some events and of all events that led to them. Each cause is found by its id. {causation} is the id of an
-- event's cause as text; only a uuid can be the id of an event. $1 ids
WITH RECURSIVE causes (id, cause) AS (
  SELECT e.id, {causation} FROM {events} e WHERE e.id = ANY ($1)
  UNION
  SELECT e.id, {causation} FROM causes c JOIN {events} e
    ON e.id = CASE WHEN c.cause ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN c.cause::uuid END
)
SELECT id FROM causes WHERE id IS NOT NULL LIMIT 10001
