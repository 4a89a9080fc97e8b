"""The shifts that could be worked on the days of a plan: start and end, possible breaks, pay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.clock import Slots, absolute
from svcanalytics.staffing.shifting.pay import PayRoll
from svcanalytics.staffing.shifting.rules import Pattern, ShiftRules

__all__ = ["Offers", "offer_shifts"]


@dataclass(frozen=True, eq=False)
class Offers:
    """Dated shifts, and places for each of their breaks.

    Attributes
    ----------
    shifts : pandas.DataFrame
        pattern, day (local midnight), begin, end (minutes since 1970, UTC), on_call, counts (what one is worth in
        agents), unpaid (minutes of breaks), paid_s, cost (of one person, were no unpaid break taken out of it).
    breaks : pandas.DataFrame
        shift (row of `shifts`), number (0 the first), begin, end, paid, saves (pay that falls away).
    """

    shifts: pd.DataFrame
    breaks: pd.DataFrame


def offer_shifts(rules: ShiftRules, slots: Slots, first: pd.Timestamp | None = None) -> Offers:
    """Return every shift that reaches a slot, by pattern, day, start and length.

    Parameters
    ----------
    rules : ShiftRules
    slots : Slots
    first : pandas.Timestamp, optional
        No shift starts on a local day before this; by default on the day before the first slot's, since its night
        shift serves the first morning.
    """
    days = slots.days if first is None else slots.days[slots.days >= first]
    rows = [
        (id_, day, start, hours)
        for id_, pattern in rules.patterns.items()
        for day in days
        if day.day_of_week in pattern.days
        for start in pattern.starts
        for hours in pattern.hours
    ]
    shifts = pd.DataFrame(rows, columns=["pattern", "day", "start", "hours"])
    shifts["length"] = (60 * shifts["hours"]).round().astype("int64")
    shifts["begin"] = _clock(shifts["day"], shifts["start"], slots.zone)
    shifts["end"] = _clock(shifts["day"], shifts["start"] + shifts["length"], slots.zone)
    shifts = shifts[_reaches(slots, shifts["begin"].to_numpy(), shifts["end"].to_numpy())].reset_index(drop=True)
    breaks = _places(rules, shifts, slots.zone)
    shifts, breaks = _with_all_breaks(rules, shifts, breaks)
    payroll = PayRoll(rules, slots)
    patterns = [rules.patterns[id_] for id_ in shifts["pattern"]]
    shifts["on_call"] = [each.on_call for each in patterns]
    shifts["counts"] = [each.counts if each.on_call else 1.0 for each in patterns]
    shifts["unpaid"] = [each.unpaid_minutes for each in patterns]
    shifts["paid_s"] = 60 * (shifts["end"] - shifts["begin"] - shifts["unpaid"])
    hour = np.array([_hour(rules, each) for each in patterns])
    over = np.maximum(shifts["paid_s"] / 3600 - rules.people.hours_a_day, 0.0)
    weight = payroll.hours(shifts["begin"].to_numpy(), shifts["end"].to_numpy())
    shifts["cost"] = hour * (weight + np.where(shifts["on_call"], 0.0, over) * (rules.costs.overtime - 1))
    saved = payroll.hours(breaks["begin"].to_numpy(), breaks["end"].to_numpy()) * hour[breaks["shift"]]
    breaks["saves"] = np.where(breaks["paid"], 0.0, saved)
    return Offers(shifts.drop(columns=["start", "hours", "length"]), breaks)


def _with_all_breaks(
    rules: ShiftRules, shifts: pd.DataFrame, breaks: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out shifts of a night on which a skipped hour leaves no place for one of their breaks."""
    found = breaks.groupby("shift")["number"].nunique().reindex(shifts.index, fill_value=0)
    kept = (found == shifts["pattern"].map(lambda id_: len(rules.patterns[id_].breaks))).to_numpy()
    breaks = breaks[kept[breaks["shift"]]].reset_index(drop=True)
    return shifts[kept].reset_index(drop=True), breaks.assign(shift=(np.cumsum(kept) - 1)[breaks["shift"]])


def _hour(rules: ShiftRules, pattern: Pattern) -> float:
    pay = rules.costs.hour if pattern.hour is None else pattern.hour
    return pay * (rules.costs.on_call if pattern.on_call else 1.0)


def _clock(day: pd.Series, minute: pd.Series, zone: str) -> NDArray[np.int64]:
    return absolute(pd.DatetimeIndex(day + pd.to_timedelta(minute, unit="min")), zone)


def _reaches(slots: Slots, begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.searchsorted(slots.minute + slots.length, begin, side="right") < np.searchsorted(slots.minute, end)


def _places(rules: ShiftRules, shifts: pd.DataFrame, zone: str) -> pd.DataFrame:
    parts = [pd.DataFrame({"shift": [], "number": [], "begin": [], "end": [], "paid": []}).astype("int64")]
    for (id_, start), rows in shifts.groupby(["pattern", "start"], sort=False):
        windows = sorted((each.window(start), each) for each in rules.patterns[id_].breaks)
        for number, ((low, high), each) in enumerate(windows):
            places = np.arange(low, high - each.minutes + 1, each.every)
            shift = np.repeat(rows.index.to_numpy(), len(places))
            minute = pd.Series(np.tile(places, len(rows)) + start)
            begin = _clock(shifts["day"].iloc[shift].reset_index(drop=True), minute, zone)
            made = pd.DataFrame({"shift": shift, "number": number, "begin": begin, "end": begin + each.minutes})
            parts.append(made.assign(paid=int(each.paid)))
    breaks = pd.concat(parts, ignore_index=True)
    # Where clocks change, wall times may fall on one moment or beyond the shift's end.
    inside = breaks["end"].to_numpy() <= shifts["end"].to_numpy()[breaks["shift"]]
    return breaks[inside].drop_duplicates(ignore_index=True).astype({"paid": bool})
