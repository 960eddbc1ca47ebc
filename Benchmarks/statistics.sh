# How long 'annals streams' and 'annals stats' take, compared with a query written by hand, on EVENTS events.

. "${0%/*}/common.sh"
many_events

hand() { psql -qAtXc "$1"; }

longest() { "$annals" streams --sort events --limit 100; }
longest_by_hand() { hand 'SELECT aggregate_id, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100'; }
largest() { "$annals" streams --sort bytes --limit 100; }
largest_by_hand() {
  hand "SELECT aggregate_id, count(*), sum(pg_column_size(event_data) + coalesce(pg_column_size(metadata), 0))
        FROM events GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 100"
}
types() { "$annals" stats --by type --exact; }
types_by_hand() {
  hand "SELECT event_type, count(*), count(DISTINCT aggregate_id),
               sum(pg_column_size(event_data) + coalesce(pg_column_size(metadata), 0)), min(timestamp), max(timestamp)
        FROM events GROUP BY 1 ORDER BY 2 DESC, 1"
}
categories() { "$annals" stats --by category --exact; }
categories_by_hand() {
  hand "SELECT split_part(aggregate_id, '-', 1), count(*), count(DISTINCT aggregate_id),
               sum(pg_column_size(event_data) + coalesce(pg_column_size(metadata), 0)), min(timestamp), max(timestamp)
        FROM events GROUP BY 1 ORDER BY 2 DESC, 1"
}
prefix() { "$annals" streams order-1 --limit 100; }
prefix_by_hand() { hand "SELECT aggregate_id, count(*) FROM events WHERE aggregate_id ~ '^order-1' GROUP BY 1 ORDER BY 1 LIMIT 100"; }
glance() { "$annals" stats; }
count_by_hand() { hand 'SELECT count(*) FROM events'; }

echo "streams and stats, $EVENTS events: ours, by hand"
compare 5 longest longest_by_hand
report 'streams --sort events' '>= 0.83'
compare 5 largest largest_by_hand
report 'streams --sort bytes' '>= 0.83'
compare 3 types types_by_hand
report 'stats --by type --exact' '>= 0.83'
compare 3 categories categories_by_hand
report 'stats --by category --exact' '>= 0.83'
compare 5 prefix prefix_by_hand
report 'streams order-1' 'none'
echo "streams order-1: $ours s (goal 0.1 s)"
compare 5 glance count_by_hand
report 'stats / count all events' 'none'
echo "stats: $ours s (goal 0.1 s)"
