-- How many events there were on each day: a set-based projection, which sees a run of events at a time.
-- Try it:  annals rebuild-projection Examples/orders/activity.sql

-- @projection activity
-- @create
CREATE TABLE events_per_day (day date PRIMARY KEY, count bigint NOT NULL);

-- @batch *
INSERT INTO events_per_day AS e (day, count)
SELECT (timestamp AT TIME ZONE 'UTC')::date, count(*) FROM events GROUP BY 1
ON CONFLICT (day) DO UPDATE SET count = e.count + excluded.count;
