-- How many positions are free between the events on both sides of a gap. $1 the aggregate, $2 the first and $3 the
-- last missing version. Positions are handed out before commit: a free one was taken by a transaction that was rolled
-- back, or its event was deleted.
SELECT coalesce(n.first - coalesce(p.last, 0) - 1
                - (SELECT count(*) FROM {events} e WHERE position > coalesce(p.last, 0) AND position < n.first), 0)::bigint
FROM (SELECT min(position) AS first FROM {events} e WHERE aggregate_id = $1 AND version > $3) n,
     (SELECT max(position) AS last FROM {events} e WHERE aggregate_id = $1 AND version < $2) p
