"""Identifiers of nobody: right in form, so that masking has work, and plainly made up."""

from __future__ import annotations

import numpy as np

__all__ = ["bank_card", "identifiers", "resident_id"]

_HOW_MANY = 997


def identifiers(rng: np.random.Generator, n: int) -> dict[str, list[str]]:
    """Return a stock of made-up identifiers by kind, at most a thousand of each.

    Mobile numbers lie in 1380000xxxx, landlines in 8000 xxxx, English numbers in ranges reserved for fiction; mail
    is at example.com; ids and cards have a right check digit and a customer nobody has.
    """
    size = min(n, _HOW_MANY)
    draw = rng.integers(0, 10_000, size).tolist()
    return {
        "mobile": [f"1380000{i:04d}" for i in draw],
        "landline": [f"010-8000{i:04d}" for i in draw],
        "phone": [f"+1 202 555 01{i % 100:02d}" for i in draw],
        "email": [f"user{i}@example.com" for i in draw],
        "resident": [resident_id(i) for i in draw],
        "card": [bank_card(i) for i in draw],
        "plate": [f"京A{i % 100_000:05d}" for i in draw],
        "passport": [f"E{10_000_000 + i}" for i in draw],
        "order": [f"DD{2026_0000_0000 + i}" for i in draw],
    }


def resident_id(i: int) -> str:
    """Return a resident id with a right check digit (GB 11643-1999), of somebody born on a day of 1901."""
    body = f"110101{1901}{i % 12 + 1:02d}{i % 28 + 1:02d}{i % 1000:03d}"
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def bank_card(i: int) -> str:
    """Return a bank card number of 16 digits with a right check digit (Luhn)."""
    body = f"62220000000{i % 10_000:04d}"
    doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(body)]
    return body + str(-sum(d // 10 + d % 10 for d in doubled) % 10)
