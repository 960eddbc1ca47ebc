# Reading the whole store in order: NDJSON compared with psql's COPY, a rare type compared with the whole, memory.
. "$(dirname "$0")/common.sh"

many_events
# One event in 100,000.
run "UPDATE events SET event_type = 'ChargebackReceived' WHERE position % 100000 = 77" "VACUUM ANALYZE events"

columns='position, aggregate_id, version, event_type, timestamp, id, event_data, metadata'
replay() { "$annals" replay; }
copy_json() { psql -qX -c "COPY (SELECT row_to_json(e) FROM events e ORDER BY position) TO STDOUT"; }
copy_text() { psql -qX -c "COPY (SELECT $columns FROM events ORDER BY position) TO STDOUT"; }
replay_rare() { "$annals" replay --type ChargebackReceived; }
replay_types() { "$annals" replay --type OrderSubmitted --type OrderShipped; }
copy_types() {
  psql -qX -c "COPY (SELECT $columns FROM events WHERE event_type IN ('OrderSubmitted', 'OrderShipped')
    ORDER BY position) TO STDOUT"
}

echo "replay of $EVENTS events: events a second, annals against psql"
replay >/dev/null
compare 5 replay copy_json
report "replay / COPY (SELECT row_to_json … ORDER BY position)" 2
compare 5 replay copy_text
report "replay / COPY (SELECT columns … ORDER BY position)" 0.6
compare 3 replay_types copy_types
report "replay --type A --type B / the same by COPY" 0.6
compare 3 replay_rare replay
report "replay of a type with 1 event in 100,000 / of all" none

# peak_kilobytes COMMAND…: its highest memory.
peak_kilobytes() {
  "$@" >/dev/null &
  peak=0
  while size=$(awk '/VmHWM/ { print $2 }' "/proc/$!/status" 2>/dev/null) && [ -n "$size" ]; do peak=$size; sleep 0.05; done
  wait $!
  echo "$peak"
}
echo "peak memory of replay: $(peak_kilobytes "$annals" replay --limit "$((EVENTS / 10))") kB for a tenth," \
  "$(peak_kilobytes "$annals" replay) kB for all"

# The server's counters are at most a second late.
temporary_files() { sleep 1; run "SELECT temp_files FROM pg_stat_database WHERE datname = current_database()"; }
before=$(temporary_files)
replay >/dev/null
replay_types >/dev/null
echo "temporary files of the server for a replay: $(($(temporary_files) - before))"
