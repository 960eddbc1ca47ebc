-- How many positions are free between the events of an aggregate on both sides of missing versions. Positions are
-- handed out before commit: a free one was taken by a transaction that was rolled back, or its event was deleted.
SELECT least(coalesce(n.first - 1::numeric - coalesce(p.last, b.first)
                - (SELECT count(*) FROM {events} e WHERE position > coalesce(p.last, b.first) AND position < n.first), 0),
             9223372036854775807)::bigint
FROM (SELECT min(position) AS first FROM {events} e WHERE aggregate_id = {aggregate} AND version > {last_missing}) n,
     (SELECT max(position) AS last FROM {events} e WHERE aggregate_id = {aggregate} AND version < {first_missing}) p,
     -- The position before all events: 0, or the lowest position if that is not above 0.
     (SELECT least(0, min(position)) AS first FROM {events} e) b
