#!/bin/sh
# Compares annals evolve with the same work in SQL. For check: a SELECT that only computes the upcaster's expression,
# and one that counts what check counts; check also finds the types and compares the shapes of a sample. For apply: an
# INSERT … SELECT of the expression into a table with the same indexes; apply also commits in chunks and compares the
# copy.
. "$(dirname "$0")/common.sh"

many_events

cat >"$folder/currency.sql" <<'END'
-- @upcaster currency
-- @event OrderSubmitted
-- @when NOT event.event_data ? 'currency'
-- @data
SELECT event.event_data || '{"currency": "BRL"}';
END
"$annals" evolve plan "$folder/currency.sql" --out "$folder/plan" >/dev/null

upcast="CASE WHEN event_type = 'OrderSubmitted' AND NOT event_data ? 'currency'
        THEN event_data || '{\"currency\": \"BRL\"}' ELSE event_data END"

check() { "$annals" evolve check "$folder/currency.sql"; }
computing() { run "SELECT count(*) FROM events WHERE $upcast IS NULL"; }
counting() {
  run "SELECT event_type, count(*), count(*) FILTER (WHERE data IS DISTINCT FROM event_data), count(*) FILTER (WHERE data IS NULL),
         count(*) FILTER (WHERE data <> event_data AND jsonb_strip_nulls(data) <> data AND jsonb_strip_nulls(event_data) = event_data),
         count(*) FILTER (WHERE event_type = 'OrderSubmitted' AND NOT data ? 'currency')
       FROM (SELECT event_type, event_data, $upcast AS data FROM events WHERE event_type = 'OrderSubmitted') AS e
       GROUP BY event_type"
}

# Each begins with an empty table, and drops it, so that the other does not have to write its pages.
apply() {
  run "SET client_min_messages = warning; DROP TABLE IF EXISTS copy" "DELETE FROM annals.evolutions" CHECKPOINT
  seconds "$annals" evolve apply "$folder/plan" --into copy >>"$folder/ours"
}
apply_psql() {
  run "SET client_min_messages = warning; DROP TABLE IF EXISTS copy" CHECKPOINT "CREATE TABLE copy (LIKE events INCLUDING ALL)"
  seconds run "INSERT INTO copy OVERRIDING SYSTEM VALUE
    SELECT id, aggregate_id, event_type, $upcast, version, \"timestamp\", metadata, position FROM events ORDER BY position" \
    >>"$folder/theirs"
}

compare 5 check computing
report "evolve check, one rule: SELECT of the expression" 0.7
compare 5 check counting
report "evolve check, one rule: SELECT of the same counts" 0.7

# Preparation is not measured: these two time themselves.
: >"$folder/ours"
: >"$folder/theirs"
for _ in 1 2 3; do
  apply
  apply_psql
done
ours=$(median "$folder/ours")
theirs=$(median "$folder/theirs")
report "evolve apply, one rule: INSERT … SELECT" 0.7
