#!/bin/sh
# Compares appends with PostgreSQL's own programs, for the same events in the same table: a bulk append with psql's
# \copy of prepared rows, and single appends with pgbench and the same prepared statement.
. "$(dirname "$0")/common.sh"

columns='id, aggregate_id, event_type, event_data, version, "timestamp", metadata'
many_events
"$annals" replay >"$folder/events.ndjson"
run "\copy (SELECT $columns FROM events ORDER BY position) TO '$folder/events.copy'"

empty() { run 'TRUNCATE events'; }

# peak COMMAND…: runs it, and notes its highest memory, in kB. Its output is shown when it fails.
peak() {
  "$@" 2>"$folder/stderr" &
  peak_pid=$!
  while awk '/^VmHWM/ { print $2 }' "/proc/$peak_pid/status" 2>/dev/null >"$folder/now"; do
    if [ -s "$folder/now" ]; then mv "$folder/now" "$folder/peak"; fi
    sleep 0.1
    kill -0 "$peak_pid" 2>/dev/null || break
  done
  wait "$peak_pid" || { cat "$folder/stderr" >&2; exit 1; }
}
report_peak() {
  awk -v what="$1" '{ printf "%-52s %10.1f MB  (goal < 64)\n", what ", peak memory", $1 / 1024 }' "$folder/peak"
}

bulk_append() { empty && peak "$annals" append --from "$folder/events.ndjson"; }
bulk_copy() { empty && run "\copy events ($columns) FROM '$folder/events.copy'"; }
compare 3 bulk_append bulk_copy
report 'bulk append : \copy of ready rows' '>= 0.85'
report_peak 'bulk append'

# The statement of the library (AppendEvents.sql) with pgbench's variables; each client has its own streams.
statement() {
  sed -e '/^--/d' \
    -e 's/{events}/events/; s/{metadata_column}/, metadata/; s/{metadata_value}/, n.metadata/; s/{position}/position/' \
    -e "s/\\\$1/('order-' || :client_id || '-' || :n)/g; s/\\\$2/0/; s/\\\$3/2147483646/" \
    -e "s/\\\$4/ARRAY[gen_random_uuid()]/; s/\\\$5/ARRAY[:type::text]/; s/\\\$6/ARRAY[:data::jsonb]/" \
    -e "s/\\\$7/ARRAY[NULL::timestamptz]/; s/\\\$8/ARRAY[:metadata::jsonb]/" \
    Sources/EventStore/Append/SQL/AppendEvents.sql
}
{
  echo "\\set n random(1, :streams)"
  statement
  echo ';'
} >"$folder/append.pgbench"
payload=$(run "SELECT event_data FROM events LIMIT 1")

# pgbench_append CLIENTS
pgbench_append() {
  empty && pgbench -n -M prepared -f "$folder/append.pgbench" -c "$1" -j 2 -t "$((EVENTS / $1))" \
    -D streams="$((EVENTS / 10 / $1))" -D type=OrderSubmitted -D data="$payload" -D metadata='{"source": "bench"}'
}
single_append() { empty && peak "$annals" append --from "$folder/events.ndjson" --batch-size 1; }
single_pgbench() { pgbench_append 1; }
workers_append() { empty && peak "$annals" append --from "$folder/events.ndjson" --batch-size 1 --workers 8; }
workers_pgbench() { pgbench_append 8; }

compare 1 single_append single_pgbench
report 'append --batch-size 1 : pgbench, 1 client' '>= 0.9'
report_peak 'append --batch-size 1'
compare 1 workers_append workers_pgbench
report 'append --batch-size 1 --workers 8 : pgbench, 8 clients' '>= 0.9'
report_peak 'append --workers 8'
