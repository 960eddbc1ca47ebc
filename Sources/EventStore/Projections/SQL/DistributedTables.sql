-- The tables of a live read model that Citus distributes and whose new tables it does not distribute. $1 live schema,
-- $2 the live read model's objects, as "KIND name", $3 the schema of the new tables.
SELECT quote_ident(l.relname) FROM pg_class l
JOIN pg_catalog.pg_dist_partition d ON d.logicalrelid = l.oid
WHERE l.relnamespace = to_regnamespace($1) AND 'TABLE ' || quote_ident(l.relname) = ANY ($2)
  AND NOT EXISTS (
    SELECT FROM pg_class n JOIN pg_catalog.pg_dist_partition m ON m.logicalrelid = n.oid
    WHERE n.relnamespace = to_regnamespace($3) AND n.relname = l.relname)
ORDER BY 1
