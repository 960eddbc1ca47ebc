-- Consumers outside the database that claim to have seen events which the store does not have. $1 the store, $2 its head.
SELECT 'consumer ' || name AS reader, position FROM annals.checkpoints WHERE store = $1 AND position > $2 ORDER BY name
