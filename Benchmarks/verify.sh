# How long 'annals verify-versions' takes, compared with a query written by hand, on EVENTS events.

. "${0%/*}/common.sh"
many_events

by_hand() { psql -qAtXc 'SELECT aggregate_id FROM events GROUP BY aggregate_id HAVING count(*) <> max(version)'; }
versions() { "$annals" verify-versions --only versions; }
all() { "$annals" verify-versions; }
write_manifest() { "$annals" verify-versions --only versions --manifest "$folder/manifest"; }
compare_manifest() { "$annals" verify-versions --only versions --against "$folder/manifest"; }
# The least work for a manifest: every event read and hashed, by the server's own workers.
hash_by_hand() {
  psql -qAtXc "SELECT count(sha256(record_send(ROW(id, event_type, event_data, timestamp, metadata)))) FROM events"
}

echo "verify-versions, $EVENTS events: ours, by hand"
compare 9 versions by_hand
report 'versions' '>= 0.87'
compare 3 all by_hand
report 'all kinds of finding' 'none'
compare 3 write_manifest hash_by_hand
report 'write a manifest / hash the events alone' 'none'
compare 3 compare_manifest hash_by_hand
report 'compare with a manifest / hash the events alone' 'none'
echo "manifest: $(wc -c <"$folder/manifest") bytes"
