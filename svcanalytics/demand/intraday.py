"""The rest of today: a forecast brought up to date with what has come so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.ahead.conditioning import Pull, condition
from svcanalytics.demand.ahead.outlook import Outlook
from svcanalytics.demand.ahead.trust import believe
from svcanalytics.demand.forecasting import tabulate
from svcanalytics.demand.history.findings import place
from svcanalytics.demand.history.intake import DAY_S, check_counts
from svcanalytics.demand.history.walltime import put_on_the_wall
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import draw_counts
from svcanalytics.demand.result import Forecast, open_slots
from svcanalytics.errors import DemandError

__all__ = ["UpdatedOutlook", "update"]


def update(forecast: Forecast, today: pd.DataFrame) -> Forecast:
    """Return the forecast given what has come so far today.

    The slots of the day to come move, with their bounds, as far as slots of a day have gone together in the past; later
    days move as far as busy days have been followed by busy ones; all no farther than such updates would have been
    right on the days of the trials. Days before today, and queues without rows, stay as they are. Slots that are over
    hold what came, so that the day's total is what came and what is still expected. Works from the first slot on, and
    again later in the day: give all of the day's slots each time.

    Parameters
    ----------
    forecast : Forecast
        One whose days hold today, or one updated before.
    today : pandas.DataFrame
        queue (may be left out when the forecast has one), start (aware, or local) of slots that are over, arrivals
        (missing where not recorded). What came in closed slots is left out, and the notes say so.

    Returns
    -------
    Forecast
        Its notes say what changed.

    Raises
    ------
    DemandError
        Rows are of several days or of a day that the forecast does not hold, of an unknown queue, of slots that
        overlap; counts are negative or fractional; or the forecast is of whole days.
    """
    rows = _rows_of(today, forecast)
    day = _day_of(rows)
    outlooks, parts, notes = [], [], []
    for outlook in forecast.outlooks:
        table = forecast.table[forecast.table["queue"] == outlook.queue]
        own = rows[rows["queue"] == outlook.queue]
        if len(own):
            fresh = _informed(outlook, day, own)
            notes.append((outlook.queue, _news(outlook, fresh, day, own)))
            outlook = fresh
            past = table["start"].dt.tz_localize(None) < day
            table = pd.concat([table[past], _tabulated(fresh, forecast)[~past.to_numpy()]])
        outlooks.append(outlook)
        parts.append(table)
    return replace(
        forecast,
        table=pd.concat(parts, ignore_index=True),
        notes=pd.concat([forecast.notes, pd.DataFrame(notes, columns=["queue", "note"])], ignore_index=True),
        outlooks=tuple(outlooks),
    )


@dataclass(frozen=True, eq=False)
class UpdatedOutlook(Outlook):
    """A queue's forecast that knows some of its counts.

    Attributes
    ----------
    before : Outlook
        The forecast without them, whose `spread` this one keeps.
    came : numpy.ndarray, shape ``(D, S)``
        Counts that are known; NaN elsewhere. `mean` and sample paths hold them; the rest is what to expect given them.
    """

    before: Outlook
    came: NDArray[np.float64]

    def courses(self, normal: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return sample paths ``(n, D, S)`` given what came, from standard normal numbers of the days ``(n, D)``."""
        opened = self.future.open_days
        rates = self.spread.rates(normal[:, opened], rng)
        some = self.spread.mean > 0
        log = np.log(np.divide(rates, self.spread.mean, out=np.ones_like(rates), where=some))
        moved = np.exp(self._pull(log, rng))
        moved *= self.mean[opened] / moved.mean(axis=0)
        counts = np.full((len(normal), *self.mean.shape), np.nan)
        counts[:, opened] = draw_counts(moved, rng)
        return np.where(np.isfinite(self.came), self.came, counts)

    @cached_property
    def _pull(self) -> Pull:
        return _pull(self.before, self.came[self.future.open_days])


def _informed(outlook: Outlook, day: pd.Timestamp, rows: pd.DataFrame) -> UpdatedOutlook:
    before = outlook.before if isinstance(outlook, UpdatedOutlook) else outlook
    came = np.full(before.mean.shape, np.nan)
    if isinstance(outlook, UpdatedOutlook):
        came[:] = outlook.came
    came[before.future.days.get_loc(day)] = _counts(before.future, day, rows)
    opened = before.future.open_days
    mean = before.mean.copy()
    mean[opened] *= np.exp(_pull(before, came[opened]).shift)
    mean = np.where(np.isfinite(came), came, mean)
    known = {name: getattr(before, name) for name in ("spread", "weights", "losses", "surprises", "record", "notes")}
    return UpdatedOutlook(before.future, mean, **known, before=before, came=came)


def _pull(outlook: Outlook, came: NDArray[np.float64]) -> Pull:
    pull = condition(outlook.spread, came)
    return believe(pull, outlook.spread, outlook.record, came) if len(pull.rows) else pull


def _rows_of(today: pd.DataFrame, forecast: Forecast) -> pd.DataFrame:
    future = forecast.outlooks[0].future
    if future.slot_s == DAY_S:
        raise DemandError(
            "a forecast of whole days can't be updated within a day", fix="forecast slots of an hour or less"
        )
    rows = check_counts(today)
    names = [outlook.queue for outlook in forecast.outlooks]
    if "queue" not in today.columns and len(names) == 1:
        rows["queue"] = names[0]
    unknown = ~rows["queue"].isin(names)
    if unknown.any():
        raise DemandError(
            "the forecast has no such queue",
            where=place(rows, unknown),
            fix=f"use one of {', '.join(map(repr, names[:8]))}{' ...' if len(names) > 8 else ''}",
        )
    rows, _ = put_on_the_wall(rows, future.timezone, [])
    rows["day"] = rows["start"].dt.normalize()
    rows["second"] = (rows["start"] - rows["day"]).dt.total_seconds().astype(np.int64)
    length = future.slot_s // 60
    for wrong, what in (
        (rows["second"] % future.slot_s != 0, f"a row does not begin where a slot of {length} minutes does"),
        (rows.duplicated(["queue", "start", "fold"]), "a slot stands there twice"),
    ):
        if wrong.any():
            raise DemandError(
                f"slots overlap: {what}",
                where=place(rows, wrong),
                fix=f"sum today's arrivals to slots of {length} minutes, and leave out the one that is not over",
            )
    return rows[rows["arrivals"].notna()]


def _day_of(rows: pd.DataFrame) -> pd.Timestamp:
    days = rows["day"].unique()
    if len(days) != 1:
        found = f"from {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else ""
        what = "today's arrivals are of several days" if len(days) else "no row of today has a count"
        raise DemandError(what, where=found, fix="give the slots of one day that are over")
    return days[0]


def _counts(future: DayMatrix, day: pd.Timestamp, rows: pd.DataFrame) -> NDArray[np.float64]:
    if day not in future.days:
        raise DemandError(
            "the forecast does not hold this day",
            where=f"queue {future.queue!r}, {day:%Y-%m-%d}",
            fix=f"give arrivals of a day from {future.days[0]:%Y-%m-%d} to {future.days[-1]:%Y-%m-%d}",
        )
    exposure = future.exposure[future.days.get_loc(day)]
    slot = np.searchsorted(future.slots, rows["second"])
    there = (slot < len(future.slots)) & (future.slots[np.minimum(slot, len(future.slots) - 1)] == rows["second"])
    there &= exposure[np.minimum(slot, len(exposure) - 1)] > 0
    slot, arrivals = slot[there], rows["arrivals"].to_numpy()[there]
    seen = np.bincount(slot, minlength=len(exposure))
    # An hour that comes twice is known when both are.
    return np.where((seen > 0) & (seen >= exposure), np.bincount(slot, arrivals, len(exposure)), np.nan)


def _tabulated(outlook: UpdatedOutlook, forecast: Forecast) -> pd.DataFrame:
    table = tabulate(outlook, forecast.levels, forecast.seed)
    at = open_slots(outlook.future)
    known = np.isfinite(outlook.came[at.day, at.slot])
    for name in table.columns.drop(["queue", "start", "mean"]):
        table[name] = table[name].where(~known, table["mean"])
    return table


def _news(outlook: Outlook, fresh: UpdatedOutlook, day: pd.Timestamp, rows: pd.DataFrame) -> str:
    row = fresh.future.days.get_loc(day)
    known = np.isfinite(fresh.came[row])
    rest = fresh.future.open_slots[row] & ~known
    then, now = np.nansum(outlook.mean[row, rest]), np.nansum(fresh.mean[row, rest])
    counted = np.nansum(fresh.came[row])
    text = f"{day:%Y-%m-%d}: {counted:,.0f} came in {known.sum()} slots"
    if rest.any():
        text += f"; the rest of the day is expected to bring {now:,.0f} instead of {then:,.0f}"
    stray = rows["arrivals"].sum() - counted
    return f"{text}; {stray:,.0f} came in closed slots and are left out" if stray else text
