-- Consumers outside the database that claim to have seen events that the store lacks. $1 the store, $2 its head.
SELECT 'consumer ' || name AS reader, position FROM annals.checkpoints WHERE store = $1 AND position > $2 ORDER BY name
