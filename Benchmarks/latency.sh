# The delay of a read model that 'annals project' keeps current, at 200 and at 1,000 appends a second, and the cost of
# following while nothing happens. The delay is from the beginning of the append's transaction to the handler. With NOTIFY=1
# the store has the trigger of 'annals init --notify'.

. "${0%/*}/common.sh"
seconds=${SECONDS_EACH:-15}

cat >"$folder/seen.sql" <<'SQL'
-- @projection seen
-- @create
CREATE TABLE seen (position bigint, delay interval NOT NULL);
-- @on *
INSERT INTO seen VALUES (event.position, clock_timestamp() - event.timestamp);
SQL
cat >"$folder/append.sql" <<'SQL'
INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES (gen_random_uuid()::text, 'T', '{"n": 1}', 1);
SQL
test -z "${NOTIFY-}" || "$annals" init --notify 2>/dev/null
"$annals" rebuild-projection "$folder/seen.sql" 2>/dev/null
"$annals" project ${POLL:+--poll "$POLL"} "$folder/seen.sql" 2>/dev/null &
follower=$!

percentile() {
  psql -qAtXc "SELECT round(extract(epoch FROM percentile_disc($1) WITHIN GROUP (ORDER BY delay)) * 1000, 1) FROM seen"
}
# In milliseconds, of all processes of the server and the follower.
processor_time() {
  cat /proc/"$follower"/stat $(pgrep -f "^postgres:" | sed 's|.*|/proc/&/stat|') 2>/dev/null |
    awk -v hertz="$(getconf CLK_TCK)" '{ sum += $14 + $15 } END { print int(sum * 1000 / hertz) }'
}

echo "project: delay of a read model in milliseconds"
for rate in 200 1000; do
  run 'TRUNCATE seen'
  pgbench -n -c 4 -R "$rate" -T "$seconds" -f "$folder/append.sql" >/dev/null 2>&1
  sleep 1
  printf '%5s appends/s: p50 %s, p99 %s (goals 15 and 50), %s events\n' "$rate" "$(percentile 0.5)" "$(percentile 0.99)" \
    "$(psql -qAtXc 'SELECT count(*) FROM seen')"
done
sleep 2
before=$(processor_time)
sleep 10
after=$(processor_time)
echo "idle: $(((after - before) / 100)) % of a processor, client and server (goal 1)"
kill "$follower"
wait "$follower" 2>/dev/null || true
