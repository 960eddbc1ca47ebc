# What the trigger of 'annals init --notify' costs writers: transactions of one append each, by 1 and by 16 sessions, without and
# with it, in turn.

. "${0%/*}/common.sh"
seconds=${SECONDS_EACH:-5}

cat >"$folder/append.sql" <<'SQL'
INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES (gen_random_uuid()::text, 'T', '{"n": 1}', 1);
SQL

# appends SESSIONS: in a second.
appends() {
  pgbench -n -c "$1" -j 2 -T "$seconds" -f "$folder/append.sql" 2>/dev/null | awk '/^tps/ { print int($3) }'
}

echo "notify: appends per second, one in each transaction"
for sessions in 1 16; do
  for _ in 1 2 3; do
    "$annals" init --no-notify 2>/dev/null
    appends "$sessions" >>"$folder/without.$sessions"
    "$annals" init --notify 2>/dev/null
    appends "$sessions" >>"$folder/with.$sessions"
  done
  without=$(median "$folder/without.$sessions")
  with=$(median "$folder/with.$sessions")
  printf '%2s sessions: %s without, %s with the trigger (%s %%)\n' "$sessions" "$without" "$with" "$((100 * with / without))"
done
