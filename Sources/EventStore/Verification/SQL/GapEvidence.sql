-- How many positions are free between the events on both sides of a gap. $1 the aggregate, $2 the first and $3 the
-- last missing version. Positions are handed out before commit: a free one was taken by a transaction that was rolled
-- back, or its event was deleted.
SELECT least(coalesce(n.first - 1::numeric - coalesce(p.last, b.first)
                - (SELECT count(*) FROM {events} e WHERE position > coalesce(p.last, b.first) AND position < n.first), 0),
             9223372036854775807)::bigint
FROM (SELECT min(position) AS first FROM {events} e WHERE aggregate_id = $1 AND version > $3) n,
     (SELECT max(position) AS last FROM {events} e WHERE aggregate_id = $1 AND version < $2) p,
     -- What comes before all: 0, or the lowest position where that is not above 0.
     (SELECT least(0, min(position)) AS first FROM {events} e) b
