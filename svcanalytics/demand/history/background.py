"""What all parts of the same arrivals share: the counts as given, the described days, clocks and faults."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.days.daydescription import describe_days
from svcanalytics.demand.days.events import add_events
from svcanalytics.demand.days.regressors import add_regressors
from svcanalytics.demand.history.hours import OpeningHours
from svcanalytics.demand.history.intake import DAY_S, Intake
from svcanalytics.demand.history.walltime import clock_exposure
from svcanalytics.periods import HolidayCalendar

__all__ = ["Background", "leaves_zeros_out"]


@dataclass(eq=False)
class Background:
    """What a history, its earlier states and its single queues have in common; days are described once and sliced.

    Attributes
    ----------
    intake : Intake
    calendar : HolidayCalendar
    events, regressors : pandas.DataFrame
        As `read_events` and `read_regressors` give them.
    pay_days, billing_days : tuple of int
    hours : dict[str, OpeningHours or None]
        Of each queue, as given; None where inferred.
    absent_is_zero : dict[str, bool]
        Whether a slot without a row counts as zero.
    faults : dict[str, numpy.ndarray of bool]
        Days of each queue not to be learned from.
    columns : dict[str, slice]
        Slots of the day that each queue's matrices hold.
    features : pandas.DataFrame
        The described days, without events and regressors.
    """

    intake: Intake
    calendar: HolidayCalendar
    events: pd.DataFrame
    regressors: pd.DataFrame
    pay_days: tuple[int, ...]
    billing_days: tuple[int, ...]
    hours: dict[str, OpeningHours | None]
    absent_is_zero: dict[str, bool]
    faults: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    columns: dict[str, slice] = field(default_factory=dict)
    features: pd.DataFrame = field(default_factory=pd.DataFrame)
    _by_queue: dict[str, pd.DataFrame] = field(default_factory=dict)
    _clock: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def describe_until(self, days: int) -> None:
        """Describe the days up to so many after the last of the frame."""
        n = len(self.intake.days) + days
        if n > len(self.features):
            span = pd.date_range(self.intake.days[0], periods=n, unit="s")
            self.features = describe_days(span, self.calendar, pay_days=self.pay_days, billing_days=self.billing_days)
            self._clock = clock_exposure(span, self.intake.slot_s, self.intake.timezone)
            self._by_queue = {}

    def only(self, queue: str) -> Background:
        """Return what one queue needs, small enough to be sent to another process."""
        intake = replace(self.intake, tallies={queue: self.intake.tallies[queue]})
        mine = {name: {k: v for k, v in getattr(self, name).items() if k == queue} for name in ("columns", "faults")}
        shared = {key: value for key, value in self._by_queue.items() if key in ("", queue)}
        return replace(self, intake=intake, _by_queue=shared, **mine)

    def features_of(self, queue: str) -> pd.DataFrame:
        """Return the described days with a queue's events and regressors."""
        special = {*self.events["queue"], *self.regressors["queue"]}
        key = queue if queue in special else ""
        if key not in self._by_queue:
            described = add_events(self.features, self.events, key)
            self._by_queue[key] = add_regressors(described, self.regressors, key)
        return self._by_queue[key]

    def hide_unknown(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return features of days to come without the regressors that nobody knows beforehand."""
        hidden = [name for name in self.regressors.attrs.get("unknown_ahead", ()) if name in features]
        return features.assign(**dict.fromkeys(hidden, np.nan)) if hidden else features

    def exposure(self, open_slots: NDArray[np.bool_], first: int) -> NDArray[np.float64]:
        """Return how often each open slot comes on the days from row `first` on, shape ``(D, S)``."""
        exposure = open_slots.astype(np.float64)
        for row, times in self._clock.items():
            if first <= row < first + len(exposure):
                exposure[row - first] *= times
        return exposure


def leaves_zeros_out(intake: Intake, queue: str) -> bool:
    """Tell whether a queue's rows are those of slots with arrivals alone, as in a log that was counted."""
    if intake.slot_s == DAY_S or intake.lists_zeros:
        return False
    counts = intake.tallies[queue].counts
    rows, columns = (counts > 0).any(axis=1), (counts > 0).any(axis=0)
    return bool(rows.any() and np.isnan(counts[np.ix_(rows, columns)]).mean() > 0.02)
