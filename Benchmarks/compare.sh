# How long 'annals compare' takes for equal stores of EVENTS events, compared with writing one manifest, and with a
# query by hand over both tables in one database.

. "${0%/*}/common.sh"
many_events
run 'CREATE DATABASE other TEMPLATE template0'
PGDATABASE=other "$annals" init 2>/dev/null
columns='id, aggregate_id, event_type, event_data, version, timestamp, metadata'
psql -qAtXc "COPY (SELECT $columns FROM events) TO STDOUT (FORMAT binary)" |
  PGDATABASE=other psql -qAtXc "COPY events ($columns) FROM STDIN (FORMAT binary)"
PGDATABASE=other run 'VACUUM ANALYZE events'
run 'CREATE TABLE copied (LIKE events INCLUDING INDEXES)' 'INSERT INTO copied SELECT * FROM events' 'VACUUM ANALYZE copied'

manifest() { "$annals" verify-versions --only versions --manifest "$folder/manifest"; }
stores() { "$annals" compare --with dbname=other; }
by_manifest() { "$annals" compare --with "$folder/manifest"; }
by_hand() {
  psql -qAtXc "SELECT count(*) FROM (SELECT $columns FROM events EXCEPT SELECT $columns FROM copied) AS a
               UNION ALL
               SELECT count(*) FROM (SELECT $columns FROM copied EXCEPT SELECT $columns FROM events) AS b"
}

echo "compare of equal stores, $EVENTS events: ours, theirs"
compare 5 stores manifest
report 'two stores / one manifest (both stores on one machine)' '>= 0.5'
compare 5 by_manifest manifest
report 'with a manifest / one manifest' '>= 0.9'
compare 3 stores by_hand
report 'two stores / EXCEPT by hand, both ways' '>= 1'
memory=$({ /usr/bin/time -f %M "$annals" compare --with dbname=other; } 2>&1 | tail -1)
echo "client memory: $memory kB"
