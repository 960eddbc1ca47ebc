#!/usr/bin/env python3
"""Writes the example events to stdout: the orders of a small tea shop in spring 2024.

    python3 generate.py > events.ndjson

The same bytes every time. order-1007 is paid twice: the payment gateway answered late and the checkout
asked again. It happens to two more orders.
"""
import heapq
import json
import random
import uuid
from datetime import datetime, timedelta, timezone

ORDERS = 640
FIRST_ORDER = 1001
PAID_TWICE = {"order-1007", "order-1138", "order-1502"}
START = datetime(2024, 3, 4, 7, 30, tzinfo=timezone.utc)
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "orders.example.com")

PRODUCTS = [
    ("TEA-ASSAM-250", "8.90"),
    ("TEA-DARJEELING-100", "12.50"),
    ("TEA-EARLGREY-100", "6.80"),
    ("TEA-ROOIBOS-250", "7.40"),
    ("TEA-SENCHA-100", "14.20"),
    ("CUP-STONEWARE", "11.00"),
    ("POT-GLASS-1L", "29.90"),
    ("STRAINER-STEEL", "5.50"),
]
CUSTOMERS = [
    "ana.silva", "ben.carter", "chiara.rossi", "daniel.meyer", "elif.kaya", "fatou.diallo", "grace.okafor",
    "hugo.martin", "ines.lopez", "jonas.berg", "katarzyna.nowak", "liam.murphy", "mei.chen", "noor.haddad",
    "olga.ivanova", "priya.patel", "quentin.roux", "rosa.jimenez", "sven.larsen", "tomas.novak",
]
METHODS = ["card", "card", "card", "paypal", "bank-transfer"]
CARRIERS = ["DHL", "DPD", "UPS", "Royal Mail"]
REASONS = ["changed my mind", "ordered twice by mistake", "found it cheaper", "delivery takes too long"]


class Order:
    """The stream of one order; each event is caused by the one before."""

    def __init__(self, number, submitted):
        self.id = f"order-{number}"
        self.time = submitted
        self.events = []
        self.correlation_id = str(uuid.uuid5(NAMESPACE, f"{self.id}/checkout"))

    def add(self, event_type, source, data, after=timedelta()):
        self.time += after
        version = len(self.events) + 1
        metadata = {"correlation_id": self.correlation_id}
        if self.events:
            metadata["causation_id"] = self.events[-1]["id"]
        metadata["source"] = source
        self.events.append({
            "id": str(uuid.uuid5(NAMESPACE, f"{self.id}/{version}")),
            "aggregate_id": self.id,
            "version": version,
            "event_type": event_type,
            "event_data": data,
            "timestamp": self.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "metadata": metadata,
        })


def minutes(rng, least, most):
    return timedelta(seconds=rng.randint(least * 60, most * 60))


def make_order(rng, number, submitted):
    order = Order(number, submitted)
    products = rng.sample(PRODUCTS, rng.choice([1, 1, 2, 2, 3]))
    items = [{"sku": sku, "quantity": rng.choice([1, 1, 1, 2, 3]), "price": float(price)} for sku, price in products]
    cents = sum(item["quantity"] * round(item["price"] * 100) for item in items)
    order.add("OrderSubmitted", "web-shop", {
        "customer": rng.choice(CUSTOMERS),
        "currency": rng.choice(["EUR", "EUR", "EUR", "GBP"]),
        "items": items,
    })
    if order.id not in PAID_TWICE and rng.random() < 0.06:
        order.add("OrderCancelled", "web-shop", {"reason": rng.choice(REASONS)}, minutes(rng, 3, 600))
        return order
    payment = {"amount": cents / 100, "method": rng.choice(METHODS)}
    order.add("PaymentProcessed", "payment-gateway", payment, minutes(rng, 1, 90))
    if order.id in PAID_TWICE:
        order.add("PaymentProcessed", "payment-gateway", payment, timedelta(seconds=31))
    elif rng.random() < 0.03:
        order.add("OrderCancelled", "customer-service", {"reason": rng.choice(REASONS)}, minutes(rng, 20, 900))
        return order
    order.add("OrderShipped", "warehouse", {
        "carrier": rng.choice(CARRIERS),
        "tracking": f"{rng.randrange(10**12):012d}",
    }, minutes(rng, 240, 3000))
    return order


def main():
    rng = random.Random(2024)
    orders = []
    submitted = START
    for number in range(FIRST_ORDER, FIRST_ORDER + ORDERS):
        orders.append(make_order(rng, number, submitted))
        submitted += minutes(rng, 5, 150)
    streams = (order.events for order in orders)
    for event in heapq.merge(*streams, key=lambda event: (event["timestamp"], event["aggregate_id"])):
        print(json.dumps(event, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main()
