#!/bin/sh
# The cost of an exact backup: export, which has a snapshot and a root, against replay of the same events; and restore,
# which verifies and sets positions, against a bulk append of the same events.
. "$(dirname "$0")/common.sh"

many_events
"$annals" export "$folder/events.export"
"$annals" replay >"$folder/events.ndjson"

export_file() { "$annals" export "$folder/again.export"; }
replay_file() { "$annals" replay >"$folder/again.ndjson"; }
compare 5 export_file replay_file
report 'export FILE : replay > FILE' '>= 0.8'
export_pipe() { "$annals" export; }
replay_pipe() { "$annals" replay; }
compare 5 export_pipe replay_pipe
report 'export to nobody : replay to nobody' '>= 0.8'

empty() { run 'TRUNCATE events'; }
restore() { empty && "$annals" restore "$folder/events.export"; }
restore_pipe() { empty && "$annals" restore - <"$folder/events.export"; }
append() { empty && "$annals" append --from "$folder/events.ndjson"; }
compare 3 restore append
report 'restore FILE : append --from' '>= 0.8'
compare 3 restore_pipe append
report 'restore - : append --from' '>= 0.8'
"$annals" compare --with "$folder/events.export"
