#!/bin/sh
# The cost of a redaction: a tenth of the events, with the audit and the hash of each event before and after, against one
# UPDATE by hand of the same events.
. "$(dirname "$0")/common.sh"

many_events
# Every tenth order of each block; a redaction leaves the same work to the next round.
run "CREATE TABLE kept AS SELECT id, event_data FROM events WHERE aggregate_id LIKE '%7'"
again() {
  run 'UPDATE events e SET event_data = k.event_data FROM kept k WHERE k.id = e.id' 'VACUUM ANALYZE events'
}

by_redact() {
  "$annals" redact --where "event.aggregate_id LIKE '%7'" --path .customer --yes --reason bench
}
by_hand() {
  run "UPDATE events SET event_data = jsonb_set(event_data, '{customer}', '\"[redacted]\"')
       WHERE aggregate_id LIKE '%7' AND event_data ? 'customer'"
}

: >"$folder/ours"
: >"$folder/theirs"
for _ in 1 2 3; do
  seconds by_redact >>"$folder/ours"
  again
  seconds by_hand >>"$folder/theirs"
  again
done
ours=$(median "$folder/ours")
theirs=$(median "$folder/theirs")
EVENTS=$((EVENTS / 10)) && report 'redact : one UPDATE by hand' '>= 0.5'
