-- The orders of a small shop: what state each one is in, and what was taken in each day.
-- Try it:  annals check-projection Examples/orders/orders.sql

-- @projection orders
-- @version 1

-- @create
CREATE TABLE orders (
  id           text PRIMARY KEY,
  customer     text NOT NULL,
  status       text NOT NULL,
  currency     text NOT NULL,
  total        numeric NOT NULL,
  paid         numeric NOT NULL DEFAULT 0,
  payments     integer NOT NULL DEFAULT 0,
  submitted_at timestamptz NOT NULL,
  shipped_at   timestamptz
);
CREATE INDEX ON orders (status);

CREATE TABLE daily_revenue (
  day      date,
  currency text,
  payments integer NOT NULL,
  amount   numeric NOT NULL,
  PRIMARY KEY (day, currency)
);

-- @on OrderSubmitted
INSERT INTO orders (id, customer, status, currency, total, submitted_at)
SELECT event.aggregate_id, event.event_data->>'customer', 'submitted', event.event_data->>'currency',
       sum((item->>'quantity')::integer * (item->>'price')::numeric), event.timestamp
FROM jsonb_array_elements(event.event_data->'items') AS item;

-- @on PaymentProcessed
UPDATE orders
SET status = 'paid', payments = payments + 1, paid = paid + (event.event_data->>'amount')::numeric
WHERE id = event.aggregate_id;

INSERT INTO daily_revenue (day, currency, payments, amount)
SELECT (event.timestamp AT TIME ZONE 'UTC')::date, currency, 1, (event.event_data->>'amount')::numeric
FROM orders WHERE id = event.aggregate_id
ON CONFLICT (day, currency) DO UPDATE
SET payments = daily_revenue.payments + 1, amount = daily_revenue.amount + excluded.amount;

-- @on OrderShipped
UPDATE orders SET status = 'shipped', shipped_at = event.timestamp WHERE id = event.aggregate_id;

-- @on OrderCancelled
UPDATE orders SET status = 'cancelled' WHERE id = event.aggregate_id;

-- A check is a query of the rows that break a rule; a rebuild that finds any is not swapped in.
-- @check a shipped order is paid
SELECT id, status, payments FROM orders WHERE status = 'shipped' AND payments = 0;

-- @check the days add up to what the orders were paid
SELECT days.currency, days.amount, orders.paid
FROM (SELECT currency, sum(amount) AS amount FROM daily_revenue GROUP BY currency) AS days
FULL JOIN (SELECT currency, sum(paid) AS paid FROM orders WHERE payments > 0 GROUP BY currency) AS orders
  USING (currency)
WHERE days.amount IS DISTINCT FROM orders.paid;
