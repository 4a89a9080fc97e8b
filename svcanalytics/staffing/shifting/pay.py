"""What time at work is paid: every minute by the clock and the calendar of its place."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.periods import day_classes
from svcanalytics.staffing.shifting.clock import Slots, absolute, wall
from svcanalytics.staffing.shifting.rules import ShiftRules

__all__ = ["PayRoll"]


class PayRoll:
    """Ordinary hours that any span is paid as, premia included.

    Parameters
    ----------
    rules : ShiftRules
    slots : Slots
        Whose days, and the day after them, can be asked about.
    """

    def __init__(self, rules: ShiftRules, slots: Slots) -> None:
        ends = slots.days[[0, -1]] + pd.to_timedelta([0, 2], unit="D")
        self._first, last = absolute(ends, slots.zone)
        local = wall(np.arange(self._first, last), slots.zone).tz_localize(None)
        costs = rules.costs
        rate = np.ones(len(local))
        if costs.night is not None:
            clock = np.asarray(local.hour * 60 + local.minute)
            begin, end = costs.night.from_minute, costs.night.to_minute
            by_night = (clock >= begin) & (clock < end) if begin < end else (clock >= begin) | (clock < end)
            rate += costs.night.share * by_night
        day = local.normalize()
        classes = day_classes(day[0].date(), day[-1].date() + timedelta(days=1), rules.holidays).set_index("day")
        # A substituted day off is paid as a weekend's (in China twofold, a statutory holiday threefold).
        share = {"weekend": costs.weekend, "substituted": costs.weekend, "holiday": max(costs.weekend, costs.holiday)}
        rate += day.map(classes["day_class"].map(share).fillna(0.0)).to_numpy()
        self._hours = np.concatenate([[0.0], np.cumsum(rate) / 60])

    def hours(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the hours' worth of pay between minutes since 1970."""
        return self._hours[end - self._first] - self._hours[begin - self._first]
