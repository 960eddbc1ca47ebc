-- What order.sql folds the events of an order into.

-- @reducer order.sql

-- @test the state of an order that is paid twice
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted",
--   "event_data": {"customer": "ana.silva", "currency": "GBP"}}
-- {"aggregate_id": "order-1", "event_type": "PaymentProcessed", "event_data": {"amount": 8.90}}
-- {"aggregate_id": "order-1", "event_type": "PaymentProcessed", "event_data": {"amount": 8.90}}

-- @expect
SELECT aggregate_id, version, state FROM states;
-- aggregate_id | version | state
-- -------------+---------+--------------------------------------------------------------------------------------
-- order-1      | 3       | {"paid": 17.80, "status": "paid", "currency": "GBP", "customer": "ana.silva"}

-- @test the events of another type leave the state as it is
-- @given
-- {"aggregate_id": "order-1", "event_type": "OrderSubmitted", "event_data": {"customer": "mei.chen"}}
-- {"aggregate_id": "order-1", "event_type": "NoteTaken", "event_data": {"text": "call back"}}
-- {"aggregate_id": "order-2", "event_type": "OrderCancelled", "event_data": {"reason": "ordered twice"}}

-- @expect
SELECT aggregate_id, state->>'status' AS status, state->>'text' AS text FROM states;
-- aggregate_id | status    | text
-- -------------+-----------+-----
-- order-1      | submitted | NULL
-- order-2      | cancelled | NULL

-- @test an amount that is no number
-- @given
-- {"aggregate_id": "order-1", "event_type": "PaymentProcessed", "event_data": {"amount": "8,90"}}
-- @expect-error 22P02
