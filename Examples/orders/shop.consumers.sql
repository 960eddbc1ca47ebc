-- The consumers of the shop's events: annals run shop.consumers.sql

-- @consumer orders
-- @projection orders.sql

-- @consumer activity
-- @projection activity.sql

-- @consumer notify
-- @types OrderSubmitted OrderShipped
-- @exec ./notify
-- @workers 2
