-- The indexes of a table, those of constraints first. $1 the table.
-- columns are the key columns in order, expressions as SQL; is_in_byte_order is about the first of them.
SELECT i.indexrelid::regclass::text AS name,
       (SELECT array_to_string(array_agg(coalesce(a.attname::text, pg_get_indexdef(i.indexrelid, k.place::integer, true))
                                         ORDER BY k.place), E'\n')
        FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
        WHERE k.place <= i.indnkeyatts) AS columns,
       i.indisunique AS is_unique, i.indisvalid AS is_valid, i.indpred IS NULL AS is_for_all_rows,
       o.oid IS NOT NULL AS is_of_constraint, m.amname::text AS method,
       coalesce(l.collname IN ('C', 'POSIX')
                OR l.collname = 'default'
                   AND (SELECT d.datcollate IN ('C', 'POSIX') FROM pg_database d WHERE d.datname = current_database()),
                true) AS is_in_byte_order
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_constraint o ON o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x')
LEFT JOIN pg_collation l ON l.oid = i.indcollation[0]
WHERE i.indrelid = $1::regclass
ORDER BY o.oid IS NULL, i.indexrelid
