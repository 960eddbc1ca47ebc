-- Each item's price also in cents, a whole number; `price` stays for those who still read it.
-- Try it:  annals evolve check Examples/orders/cents.sql

-- @upcaster order-cents

-- @event OrderSubmitted
-- @when NOT event.event_data @? '$.items[*].cents'
-- @data
SELECT event.event_data || jsonb_build_object('items', (
  SELECT jsonb_agg(item || jsonb_build_object('cents', ((item->>'price')::numeric * 100)::bigint) ORDER BY place)
  FROM jsonb_array_elements(event.event_data->'items') WITH ORDINALITY AS i (item, place)));
