#!/bin/sh
# The main job, start to end, on the example orders: `make demo` builds what this needs and runs it.
# It touches the sandbox and nothing else, and can be run any number of times: the events carry ids, so
# appending them again stores nothing twice.
set -eu
cd "$(dirname "$0")/../.."

aggregate=order-1007
events=Examples/orders/events.ndjson
projection=Examples/orders/orders.sql

# Prints a command as one would type it, then runs it.
run() {
  printf '\n$ %s\n' "$1"
  eval "$1"
}

if [ ! -x dist/annals ]; then
  echo 'demo: error: dist/annals is not there; run "make demo"' >&2
  exit 1
fi
PATH=$PWD/dist:$PATH

# A connection that the user has set up elsewhere must not reach into the demo.
for name in $(env | sed -n 's/^\(PG[A-Z_]*\)=.*/\1/p'); do
  unset "$name"
done
export PSQL_PAGER=

run 'annals sandbox start'
run 'eval "$(annals sandbox env)"'
# Without a host everything below would go to the machine's own server.
: "${PGHOST:?demo: error: annals sandbox env did not set it}"

run 'annals init'
run "annals append --from $events"
run "annals stream $aggregate"
run "annals rebuild-projection $projection"
run "psql -X -c 'SELECT status, count(*) FROM orders GROUP BY status ORDER BY status'"
run "annals snapshot take $aggregate"
run "annals snapshot show $aggregate"
run 'annals verify-versions'

cat << 'END'

The sandbox is still running. Try next:

  dist/annals sandbox exec psql                            look around in SQL
  dist/annals sandbox exec dist/annals replay | tail -n 3  the latest events, as NDJSON
  dist/annals sandbox stop                                 stop the server; its data stay
END
