# Sourced by the benchmarks: a private, durable server that ends with the script, and functions to time and compare.
#
#   make bench                    all of them with 1,000,000 events
#   make bench EVENTS=100000      a quick look
#   sh Benchmarks/replay.sh       one of them, with the release build

set -eu
annals=${ANNALS:-dist/annals}
EVENTS=${EVENTS:-1000000}

test -x "$annals" || { echo "bench: error: $annals is not there; run 'make release' first" >&2; exit 1; }

folder=$(mktemp -d /tmp/annals-bench.XXXXXX)
# The server of root's sandbox runs as another user, who must be able to reach its folder.
chmod 711 "$folder"
end_server() {
  "$annals" sandbox stop --directory "$folder/server" --immediate >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap end_server EXIT
trap 'exit 130' INT TERM
"$annals" sandbox start --directory "$folder/server" >/dev/null
eval "$("$annals" sandbox env --directory "$folder/server")"
"$annals" init 2>/dev/null

# run SQL…: with psql, quietly.
run() { for sql; do psql -qAtX -v ON_ERROR_STOP=1 -c "$sql"; done; }

# seconds COMMAND…: how long it takes; its output is dropped.
seconds() {
  seconds_start=$(date +%s.%N)
  "$@" >/dev/null
  date +%s.%N | awk -v start="$seconds_start" '{ printf "%.3f\n", $1 - start }'
}

# median FILE: the median of its numbers, one on each line.
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# compare ROUNDS OURS THEIRS: runs two functions in turn, so that a drift of the machine affects both; sets ours and
# theirs to their median seconds.
compare() {
  : >"$folder/ours"
  : >"$folder/theirs"
  for _ in $(seq "$1"); do
    seconds "$2" >>"$folder/ours"
    seconds "$3" >>"$folder/theirs"
  done
  ours=$(median "$folder/ours")
  theirs=$(median "$folder/theirs")
}

# report WHAT GOAL: a line with both rates and their ratio, from ours and theirs for the same number of events.
report() {
  awk -v what="$1" -v goal="$2" -v ours="$ours" -v theirs="$theirs" -v events="$EVENTS" 'BEGIN {
    printf "%-52s %10.0f/s  %10.0f/s  ratio %.2f  (goal %s)\n", what, events / ours, events / theirs, theirs / ours, goal
  }'
}

# many_events: EVENTS events of a tenth as many orders, interleaved as in a shop, with payloads of about 170 bytes.
many_events() {
  run "INSERT INTO events (aggregate_id, event_type, event_data, version, metadata)
       SELECT 'order-' || (block * 1000 + n), (ARRAY['OrderSubmitted', 'PaymentProcessed', 'OrderShipped'])[1 + v % 3],
              jsonb_build_object('customer', md5(n::text), 'amount', n % 997, 'note', repeat('x', 80), 'step', v),
              v, '{\"source\": \"bench\"}'
       FROM generate_series(0, $EVENTS / 10000 - 1) AS block, generate_series(1, 10) AS v, generate_series(1, 1000) AS n" \
    "VACUUM ANALYZE events"
}
