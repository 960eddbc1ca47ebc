#!/bin/sh
# Compares handlers of projections with the same work written by hand in psql on one connection.
. "$(dirname "$0")/common.sh"
many_events

# The read model of both sides, and what each event does to it.
cat >"$folder/create.sql" <<'SQL'
CREATE TABLE orders (id text PRIMARY KEY, status text NOT NULL, total numeric NOT NULL, changed_at timestamptz NOT NULL);
SQL
{
  printf -- '-- @projection loop\n-- @parallel aggregate\n-- @create\n'
  sed 's/TABLE orders/TABLE loop_orders/' "$folder/create.sql"
  cat <<'SQL'
-- @on PaymentProcessed
INSERT INTO loop_orders VALUES (event.aggregate_id, 'paid', (event.event_data->>'amount')::numeric, event.timestamp)
ON CONFLICT (id) DO UPDATE SET status = 'paid', total = loop_orders.total + excluded.total, changed_at = excluded.changed_at;
-- @on OrderShipped
UPDATE loop_orders SET status = 'shipped', changed_at = event.timestamp WHERE id = event.aggregate_id;
-- @on OrderSubmitted
UPDATE loop_orders SET status = 'submitted', changed_at = event.timestamp WHERE id = event.aggregate_id;
SQL
} >"$folder/loop.sql"
{
  cat "$folder/create.sql"
  cat <<'SQL'
DO $$
DECLARE event record;
BEGIN
  FOR event IN
    SELECT id, aggregate_id COLLATE "default" AS aggregate_id, event_type, event_data, version, timestamp, metadata, position
    FROM events WHERE event_type IN ('OrderShipped', 'OrderSubmitted', 'PaymentProcessed') ORDER BY position
  LOOP
    CASE event.event_type
    WHEN 'PaymentProcessed' THEN
      INSERT INTO orders VALUES (event.aggregate_id, 'paid', (event.event_data->>'amount')::numeric, event.timestamp)
      ON CONFLICT (id) DO UPDATE SET status = 'paid', total = orders.total + excluded.total, changed_at = excluded.changed_at;
    WHEN 'OrderShipped' THEN
      UPDATE orders SET status = 'shipped', changed_at = event.timestamp WHERE id = event.aggregate_id;
    WHEN 'OrderSubmitted' THEN
      UPDATE orders SET status = 'submitted', changed_at = event.timestamp WHERE id = event.aggregate_id;
    END CASE;
  END LOOP;
END $$;
ANALYZE orders;
SQL
} >"$folder/by_hand.sql"
cat >"$folder/batch.sql" <<'SQL'
-- @projection batch
-- @create
CREATE TABLE batch_events (position bigint PRIMARY KEY, id text NOT NULL, type text NOT NULL, amount numeric NOT NULL);
-- @batch *
INSERT INTO batch_events SELECT position, aggregate_id, event_type, (event_data->>'amount')::numeric FROM events;
SQL
cat >"$folder/select.sql" <<'SQL'
CREATE TABLE copied (position bigint PRIMARY KEY, id text NOT NULL, type text NOT NULL, amount numeric NOT NULL);
INSERT INTO copied SELECT position, aggregate_id, event_type, (event_data->>'amount')::numeric FROM events ORDER BY position;
ANALYZE copied;
SQL

# Both sides pay for creating and analyzing their tables; the rest of an earlier round is dropped outside the
# measurement.
fresh() {
  for projection in loop batch; do "$annals" projections drop --yes "$projection" 2>/dev/null || true; done
  run 'DROP TABLE IF EXISTS orders, copied' 'CHECKPOINT' 2>/dev/null
}
rebuild() { "$annals" rebuild-projection "$@"; }
script() { psql -qAtX -v ON_ERROR_STOP=1 -f "$1"; }

# fair ROUNDS OURS THEIRS: as compare; each side starts without the other's tables.
fair() {
  : >"$folder/ours"
  : >"$folder/theirs"
  for _ in $(seq "$1"); do
    fresh
    seconds eval "$2" >>"$folder/ours"
    fresh
    seconds eval "$3" >>"$folder/theirs"
  done
  ours=$(median "$folder/ours")
  theirs=$(median "$folder/theirs")
}

fair 3 "rebuild $folder/loop.sql" "script $folder/by_hand.sql"
report '@on against the same loop in PL/pgSQL' '0.9'
loop=$ours
fair 3 "rebuild $folder/batch.sql" "script $folder/select.sql"
report '@batch against INSERT ... SELECT' '0.85'
fair 3 "rebuild --workers 2 $folder/loop.sql" "rebuild $folder/loop.sql"
report '2 workers against 1' '1.6 on 2 idle cores'

# A client that handles each event in a transaction: read it, apply it, move its checkpoint, commit.
fresh
sample=$((EVENTS / 100))
run "$(cat "$folder/create.sql")" 'CREATE TABLE checkpoint (position bigint NOT NULL)' 'INSERT INTO checkpoint VALUES (0)'
psql -qAtX >"$folder/client.sql" <<SQL
SELECT format('BEGIN; SELECT event_data FROM events WHERE position = %1\$s \g /dev/null' || E'\n'
  || 'INSERT INTO orders VALUES (%2\$L, ''paid'', %3\$s, %4\$L) ON CONFLICT (id) DO UPDATE SET status = ''paid'', total = orders.total + excluded.total;'
  || ' UPDATE checkpoint SET position = %1\$s WHERE position = %1\$s - 1; COMMIT;',
  position, aggregate_id, event_data->>'amount', timestamp)
FROM events ORDER BY position LIMIT $sample;
SQL
theirs=$(seconds script "$folder/client.sql" | awk '{ print $1 * 100 }')
ours=$loop
report '@on against a transaction an event from a client' '20'
