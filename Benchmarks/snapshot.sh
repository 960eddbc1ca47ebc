# Taking snapshots compared with hand-written folds in SQL of the same rule, and showing a long stream with and without
# one.
. "$(dirname "$0")/common.sh"

many_events
aggregates=$((EVENTS / 10))
run "CREATE TABLE by_hand (aggregate_id text COLLATE \"C\", version integer, position bigint, event_id uuid,
       state jsonb NOT NULL, taken_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (aggregate_id, version))" \
  "CREATE AGGREGATE merge(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}', parallel = safe)"

# The fastest fold that we know how to write: an aggregate over jsonb's own concatenation.
fold_by_concatenation() {
  run "TRUNCATE by_hand" "INSERT INTO by_hand (aggregate_id, version, position, event_id, state)
    SELECT aggregate_id, max(version), max(position), (array_agg(id ORDER BY version DESC))[1],
           merge(event_data ORDER BY version)
    FROM events GROUP BY aggregate_id"
}
# The fold without a custom aggregate.
fold_by_members() {
  run "TRUNCATE by_hand" "INSERT INTO by_hand (aggregate_id, version, position, state)
    SELECT aggregate_id, max(version), max(position), jsonb_object_agg(key, value ORDER BY version)
    FROM events, jsonb_each(event_data) GROUP BY aggregate_id"
}
take() {
  run "TRUNCATE annals.snapshots"
  "$annals" snapshot take --all "$@"
}
take_with_two_workers() { take --workers 2; }

echo "snapshots of $aggregates aggregates of 10 events: events a second, annals against SQL by hand"
compare 3 take fold_by_concatenation
report "snapshot take --all / an aggregate over ||" 0.5
compare 1 take fold_by_members
report "snapshot take --all / jsonb_object_agg" 0.5
compare 3 take_with_two_workers fold_by_concatenation
report "snapshot take --all --workers 2 / over ||" 0.5

cat >"$folder/order.sql" <<'SQL'
-- @reducer bench
-- @on OrderSubmitted, PaymentProcessed
SELECT state || event.event_data
-- @on OrderShipped
SELECT state || event.event_data
SQL
take_with_file() { take --reducer "$folder/order.sql"; }
compare 1 take_with_file fold_by_concatenation
report "snapshot take --all --reducer FILE / over ||" none

# One aggregate of 10,000 events: the time of the statements in the server's log, and of the whole process.
run "INSERT INTO events (aggregate_id, event_type, event_data, version)
     SELECT 'long', 'PaymentProcessed', jsonb_build_object('customer', md5(v::text), 'amount', v,
       'item' || v % 20, repeat('x', 40)), v FROM generate_series(1, 10000) AS v" "VACUUM ANALYZE events"
"$annals" snapshot take long
show() { "$annals" snapshot show long "$@"; }
with_snapshot() { for _ in 1 2 3 4 5; do show; done; }
without_snapshot() { for _ in 1 2 3 4 5; do show --no-snapshot; done; }

# logged_ms COMMAND…: milliseconds that the server spent on its statements.
logged_ms() {
  log=$(ls -t "$folder"/server/*log* | head -n 1)
  lines=$(wc -l <"$log")
  PGOPTIONS='-c log_min_duration_statement=0 -c log_min_error_statement=panic' "$@" >/dev/null
  tail -n +$((lines + 1)) "$log" | sed -n 's/.*duration: \([0-9.]*\) ms.*/\1/p' | awk '{ sum += $1 } END { print sum }'
}
compare 5 with_snapshot without_snapshot
echo "show of 10,000 events, the whole process: $ours s with a snapshot, $theirs s without, five times" \
  "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "(%.1f times)", b / a }')"
logged_ms without_snapshot >"$folder/without"
logged_ms with_snapshot >"$folder/with"
awk -v a="$(cat "$folder/with")" -v b="$(cat "$folder/without")" 'BEGIN {
  printf "show of 10,000 events, in the server: %.2f ms with a snapshot, %.1f ms without: %.1f times faster (goal 20)\n",
    a / 5, b / 5, b / a }'
