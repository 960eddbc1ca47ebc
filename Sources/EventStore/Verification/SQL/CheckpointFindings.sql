-- Builds of read models that claim to have applied events that the store lacks. $1 the store, $2 its head.
SELECT 'generation ' || g.number || ' (' || g.state || ') of projection ' || p.name AS reader, g.position
FROM annals.generations g JOIN annals.projections p ON p.name = g.projection
WHERE p.store = $1 AND g.position > $2
ORDER BY p.name, g.number
