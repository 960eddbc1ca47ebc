# How long filters by content take without an index, compared with the same WHERE in psql, on EVENTS events.

. "${0%/*}/common.sh"
many_events

# The amount is from 0 to 996.
condition() {
  case $1 in
    =*) echo "event_data @? '\$.\"amount\" ? (@ == \"${1#=}\" || @ == ${1#=})'" ;;
    *) echo "event_data @? '\$.\"amount\" ? (@ $1)'" ;;
  esac
}
filter() { "$annals" replay --data "amount$what" 2>/dev/null; }
filter_by_hand() { psql -qAtXc "SELECT * FROM events WHERE $(condition "$what") ORDER BY position"; }
count() { "$annals" stream --count --data "amount$what" 2>/dev/null; }
count_by_hand() { psql -qAtXc "SELECT count(*) FROM events WHERE $(condition "$what")"; }

echo "filters by content without an index, $EVENTS events: ours, by hand"
for what in =501 '>950' '>850' '>500'; do
  compare 5 filter filter_by_hand
  report "replay --data amount$what" '>= 0.83'
done
compare 5 count count_by_hand
report "stream --count --data amount$what" '>= 0.83'
run "CREATE INDEX ON events USING gin (event_data jsonb_path_ops)"
what==501
compare 5 filter filter_by_hand
report "with an index, replay --data amount$what" '>= 0.83'
echo "with an index: $ours s (goal 0.1 s)"
