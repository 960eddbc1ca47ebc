-- The state of one order, folded from its events.
-- Try it:  annals snapshot show order-1007 --reducer Examples/orders/order.sql

-- @reducer order
-- @initial
SELECT '{"paid": 0}'::jsonb;

-- @on OrderSubmitted
SELECT state || event.event_data || '{"status": "submitted"}';

-- @on PaymentProcessed
SELECT state || jsonb_build_object('status', 'paid',
  'paid', (state->>'paid')::numeric + (event.event_data->>'amount')::numeric);

-- @on OrderShipped, OrderCancelled
SELECT state || jsonb_build_object('status', lower(substr(event.event_type, 6)));
