-- What cents.sql makes of orders that were submitted before prices had cents.

-- @upcaster cents.sql

-- @test the items keep their order and their price
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted", "event_data":
--   {"currency": "EUR", "items": [{"sku": "TEA-SENCHA-100", "price": 14.20}, {"sku": "CUP-STONEWARE", "price": 11}]}}

-- @expect
SELECT item->>'sku' AS sku, item->'price' AS price, item->'cents' AS cents
FROM events, jsonb_array_elements(event_data->'items') WITH ORDINALITY AS i (item, place) ORDER BY place;
-- sku            | price | cents
-- ---------------+-------+------
-- TEA-SENCHA-100 | 14.20 | 1420
-- CUP-STONEWARE  | 11    | 1100

-- @test what has cents, or is of another type, stays as it is
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted",
--   "event_data": {"items": [{"sku": "CUP-STONEWARE", "cents": 900}]}}
-- {"aggregate_id": "order-1", "event_type": "PaymentProcessed", "event_data": {"amount": 9}}

-- @expect
SELECT event_type, event_data FROM events ORDER BY position;
-- event_type       | event_data
-- -----------------+---------------------------------------------------
-- OrderSubmitted   | {"items": [{"sku": "CUP-STONEWARE", "cents": 900}]}
-- PaymentProcessed | {"amount": 9}
