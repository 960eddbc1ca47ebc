# Waiting times in a large store: seconds of commands, the memory of verify-versions on both sides, and how soon it ends
# after a signal. `make bench-large` runs it on 10,000,000 events.

. "${0%/*}/common.sh"
many_events
for member in correlation_id causation_id; do
  run "CREATE INDEX ON events ((metadata ->> '$member')) WHERE (metadata ->> '$member') IS NOT NULL"
done
run "INSERT INTO events (aggregate_id, event_type, event_data, version, metadata)
     SELECT 'ship-' || n, 'Sailed', '{}', 1, '{\"correlation_id\": \"voyage-1\"}' FROM generate_series(1, 5) AS n" \
  'ANALYZE events'
# Readers with the largest possible lag.
for reader in 1 2 3 4; do "$annals" replay --checkpoint "reader-$reader" --limit 1 >/dev/null; done

# waits LIMIT COMMAND…: the median of five runs, in milliseconds.
waits() {
  limit=$1
  shift
  : >"$folder/times"
  for _ in 1 2 3 4 5; do seconds "$annals" "$@" >>"$folder/times" 2>/dev/null; done
  awk -v what="$*" -v seconds="$(median "$folder/times")" -v limit="$limit" \
    'BEGIN { printf "%-58s %8.0f ms  (goal <= %s)\n", what, seconds * 1000, limit }'
}

# memory COMMAND…: the highest memory of the client, and of a server process without its shared buffers, in MB.
memory() {
  (
    while sleep 0.2; do
      for process in $(psql -qAtXc "SELECT pid FROM pg_stat_activity WHERE application_name = 'annals'"); do
        awk '/^RssAnon/ { print $2 }' "/proc/$process/status" 2>/dev/null
      done
    done
  ) >"$folder/server-kB" &
  watcher=$!
  client=$({ /usr/bin/time -f %M "$annals" "$@" >/dev/null; } 2>&1 | tail -1)
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  server=$(sort -n "$folder/server-kB" | tail -1)
  echo "$* : client $((client / 1024)) MB, server $((${server:-0} / 1024)) MB"
}

echo "a large store, $EVENTS events"
waits 300 check
waits 300 checkpoints
waits 300 projections
waits 300 types
waits 300 trace voyage-1
waits 300 replay --category ship
waits 300 replay --since 1999-01-01 --until 1999-02-01
waits 100 streams order-1
waits 100 stats
waits 100 show @2
memory verify-versions
memory verify-versions --incremental
memory verify-versions --time-limit 1s

# Interrupts a first incremental check.
run 'DELETE FROM annals.verifications'
"$annals" verify-versions --incremental >/dev/null 2>&1 &
check=$!
sleep 1
if kill -TERM "$check" 2>/dev/null; then
  start=$(date +%s.%N)
  wait "$check" 2>/dev/null || true
  while psql -qAtXc "SELECT 1 FROM pg_stat_activity WHERE application_name = 'annals'" | grep -q 1; do sleep 0.05; done
  date +%s.%N | awk -v start="$start" '{ printf "verify-versions --incremental ended %.1f s after TERM (goal <= 2)\n", $1 - start }'
else
  echo 'verify-versions --incremental ended before it was told to'
fi
