"""Random rows and plain sums, to compare measures of whole lakes with loops written from the definitions.

A rate is a pair of yes or no per row that counts; a ratio sums two numbers per row and counts the rows with something
below the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

import svcanalytics as sv
from svcanalytics import store

ZONE = ZoneInfo("Asia/Shanghai")
Row = dict[str, object]
Atoms = dict[str, list[int]]


class Draw:
    """Random values, none of a part of them, and times that often fall on the edge of a month or tie."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def of(self, *values: object, empty: float = 0.0) -> object:
        return None if self.rng.random() < empty else values[self.number(0, len(values) - 1)]

    def moment(self) -> datetime:
        if self.rng.random() < 0.2:
            edge = datetime(2026, self.number(1, 4), 1, tzinfo=ZONE)
            return edge + timedelta(seconds=self.number(-1, 1))
        return datetime(2026, 1, 2, tzinfo=ZONE) + timedelta(hours=self.number(0, 100 * 24))

    def later(self, start: datetime, empty: float, *hours: int) -> datetime | None:
        """Return a time after `start` by one of `hours`, at times a second beside it."""
        off = timedelta(hours=self.of(*hours), seconds=self.of(0, 1))
        return None if self.rng.random() < empty else start + off


def month_of(moment: datetime | date) -> str:
    return (moment.astimezone(ZONE) if isinstance(moment, datetime) else moment).strftime("%Y-%m")


def total(pairs: Iterable[tuple[str, int | None, int | None]], ratio: bool = False) -> Atoms:
    """Sum numerators and denominators per month: [n, numerator, denominator] of the months with n above 0."""
    found: Atoms = {}
    for month, x, y in pairs:
        atoms = found.setdefault(month, [0, 0, 0])
        atoms[0] += bool(y)
        atoms[1] += int(x or 0) if ratio or y else 0
        atoms[2] += int(y or 0)
    return {month: atoms for month, atoms in found.items() if atoms[0]}


def seconds(start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(seconds=1)


def assert_equal(lake: sv.Lake, wanted: dict[str, Atoms]) -> None:
    """Compare n everywhere, and numerator and denominator wherever enough rows let them be shown."""
    frame = sv.measure(lake, list(wanted))
    assert (frame["flag"] != "suppressed").mean() > 0.5, "too few rows to compare anything"
    for name, atoms in wanted.items():
        rows = frame[frame["metric"] == name].to_dict("records")
        assert rows and {row["period"]: row["n"] for row in rows} == {m: n for m, (n, _, _) in atoms.items()}, name
        for row in rows:
            if row["flag"] != "suppressed":
                _, x, y = atoms[row["period"]]
                shown = (row["numerator"], y if pd.isna(row["denominator"]) else row["denominator"])
                assert shown == (x, y), (name, row["period"])


def written(lake: sv.Lake, **tables: list[Row]) -> sv.Lake:
    return store.write(lake, {name: pd.DataFrame(rows) for name, rows in tables.items()})


def by_row(rows: list[Row], at: str, test: Callable[[Row], bool], base: Callable[[Row], object] = bool) -> Atoms:
    return total((month_of(row[at]), test(row) if base(row) else 0, bool(base(row))) for row in rows)
