-- What orders.sql makes of the events of a few orders.
-- Try it:  annals test --sandbox Examples/orders

-- @projection orders.sql

-- @test an order is paid and shipped
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted", "timestamp": "2024-03-04T23:50:00Z",
--   "event_data": {"customer": "mei.chen", "currency": "EUR", "items": [
--     {"sku": "TEA-SENCHA-100", "quantity": 2, "price": 14.20},
--     {"sku": "CUP-STONEWARE", "quantity": 1, "price": 11.00}]}}
-- {"aggregate_id": "order-1", "event_type": "PaymentProcessed", "timestamp": "2024-03-04T23:58:00Z",
--   "event_data": {"amount": 39.40, "method": "card"}}

-- @expect
SELECT id, customer, status, currency, total, paid, payments FROM orders;
-- id      | customer | status | currency | total | paid  | payments
-- --------+----------+--------+----------+-------+-------+---------
-- order-1 | mei.chen | paid   | EUR      | 39.40 | 39.40 | 1

-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderShipped", "timestamp": "2024-03-05T09:00:00Z",
--   "event_data": {"carrier": "DHL", "tracking": "000000000001"}}

-- @expect
SELECT id, status, submitted_at, shipped_at FROM orders;
-- id      | status  | submitted_at           | shipped_at
-- --------+---------+------------------------+-----------------------
-- order-1 | shipped | 2024-03-04 23:50:00+00 | 2024-03-05 09:00:00+00

-- The gateway answered late, and the checkout asked again after midnight.
-- @test an order that is paid twice counts on both days
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted", "event_data":
--   {"customer": "ana.silva", "currency": "GBP", "items": [{"sku": "TEA-ASSAM-250", "quantity": 1, "price": 8.90}]}}
-- {"aggregate_id": "order-1", "event_type": "PaymentProcessed", "timestamp": "2024-03-04T23:59:59Z",
--   "event_data": {"amount": 8.90}}
-- {"aggregate_id": "order-1", "event_type": "PaymentProcessed", "timestamp": "2024-03-05T00:00:30Z",
--   "event_data": {"amount": 8.90}}

-- @expect
SELECT day, currency, payments, amount FROM daily_revenue ORDER BY day;
-- day        | currency | payments | amount
-- -----------+----------+----------+-------
-- 2024-03-04 | GBP      | 1        | 8.90
-- 2024-03-05 | GBP      | 1        | 8.90

-- @expect
SELECT paid - total AS too_much FROM orders;
-- too_much
-- --------
-- 8.90

-- @test an order that is cancelled brings nothing in
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted", "event_data":
--   {"customer": "ben.carter", "currency": "EUR", "items": [{"sku": "POT-GLASS-1L", "quantity": 1, "price": 29.90}]}}
-- {"aggregate_id": "order-1", "event_type": "OrderCancelled", "event_data": {"reason": "changed my mind"}}

-- @expect
SELECT status, paid, shipped_at FROM orders;
-- status    | paid | shipped_at
-- ----------+------+-----------
-- cancelled | 0    | NULL

-- @expect
SELECT * FROM daily_revenue;
-- day | currency | payments | amount
-- ----+----------+----------+-------
-- (0 rows)

-- @test an order without a currency stops the rebuild
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted", "event_data":
--   {"customer": "ben.carter", "items": [{"sku": "POT-GLASS-1L", "quantity": 1, "price": 29.90}]}}
-- @expect-error 23502

-- @test an order that was shipped and not paid is found
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted", "event_data":
--   {"customer": "mei.chen", "currency": "EUR", "items": [{"sku": "CUP-STONEWARE", "quantity": 1, "price": 11.00}]}}
-- {"aggregate_id": "order-1", "event_type": "OrderShipped",
--   "event_data": {"carrier": "UPS", "tracking": "000000000002"}}
-- @expect-check a shipped order is paid

-- @test the orders of the shop
-- @given events.ndjson
-- @expect
SELECT id, total, paid FROM orders WHERE payments > 1 ORDER BY id;
-- id         | total | paid
-- -----------+-------+------
-- order-1007 | 55.1  | 110.2
-- order-1138 | 32.4  | 64.8
-- order-1502 | 25.9  | 51.8
