-- Moves the events of some places from one table to another. It is one statement, so no event is ever in two places, or in
-- none. {overriding} lets the table of a store take positions as they were.
WITH moved AS (
  DELETE FROM {from} e USING unnest({names}::text[], {versions}::integer[]) AS p (aggregate_id, version)
  WHERE e.aggregate_id = p.aggregate_id AND e.version = p.version RETURNING e.*
)
INSERT INTO {to} ({columns}) {overriding} SELECT {columns} FROM moved
