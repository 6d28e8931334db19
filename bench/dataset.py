"""The columns of the retail transactions that are generated, read and checked; the contract says the same in YAML."""

from __future__ import annotations

TYPES = {
    "transaction_id": "string",
    "store_id": "string",
    "register_id": "string",
    "ts": "timestamp",
    "customer_id": "string",
    "isbn": "string",
    "title": "string",
    "category": "string",
    "quantity": "integer",
    "unit_price": "decimal",
    "discount": "decimal",
    "payment_method": "string",
    "currency": "string",
    "sales_channel": "string",
    "sale_date": "date",
}
"""Columns in their order. An integer has 64 bits, a decimal 12 digits of which 2 are after the point, and a timestamp
microseconds in UTC; in a file it is ISO 8601 with an offset. ``sale_date`` is the day on the shop's calendar."""

COLUMNS = tuple(TYPES)
PARTITION = "sale_date"
OPTIONAL = "customer_id"
"""The one column that may be empty."""

PAYMENT_METHODS = ("CASH", "CARD", "GIFT_CARD", "MOBILE", "VOUCHER")
CURRENCIES = ("USD", "EUR", "GBP", "CAD")
SALES_CHANNELS = ("STORE", "ONLINE", "PHONE", "CLICK_AND_COLLECT")
ENUMS = {"payment_method": PAYMENT_METHODS, "currency": CURRENCIES, "sales_channel": SALES_CHANNELS}
MINIMUMS = {"quantity": 1, "unit_price": 0, "discount": 0}
