"""Days around festivals, counted from the festival itself so that the years of a lunar calendar lie on one another."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.periods import HolidayCalendar

__all__ = ["festival_windows", "holiday_names"]

_KEYS = {
    "chinese_new_year_spring_festival": "spring_festival",
    "tomb_sweeping_day": "qingming",
    "dragon_boat_festival": "dragon_boat",
    "mid_autumn_festival": "mid_autumn",
    "new_year_s_day": "new_year",
    "labor_day": "labour_day",
    "christmas_day": "christmas",
    "thanksgiving_day": "thanksgiving",
}
# How far a festival is felt: first and last day of its window, and of the core that no lesser festival takes from it.
_REACH = {
    "spring_festival": ((-21, 20), (-2, 7)),
    "national_day": ((-7, 10), (-1, 7)),
    "christmas": ((-14, 8), (-2, 2)),
    "lunar_new_year": ((-21, 20), (-2, 7)),
    "korean_new_year": ((-7, 7), (-1, 2)),
    "thanksgiving": ((-3, 4), (0, 1)),
}
_USUAL = ((-3, 3), (0, 0))
# Days that belong to a festival but do not count as a festival of their own.
_PARTS = re.compile(
    r"\beve$|\(observed\)|^day off|preceding|following|(second|third|fourth|fifth) day|alternative|extended", re.I
)
_QUALIFIED = re.compile(r"\s*\((observed|estimated)[^)]*\)", re.I)


def festival_windows(days: pd.DatetimeIndex, calendar: HolidayCalendar) -> tuple[NDArray, NDArray[np.int64]]:
    """Return for each day the festival whose window it lies in, and how many days after the festival it is.

    Parameters
    ----------
    days : pandas.DatetimeIndex, shape ``(D,)``
    calendar : HolidayCalendar

    Returns
    -------
    names : numpy.ndarray of str objects, shape ``(D,)``
        ``spring_festival``, ``qingming``, ``labour_day``, ``dragon_boat``, ``mid_autumn``, ``national_day``,
        ``new_year``, or another country's own; "" outside all windows.
    offsets : numpy.ndarray of int64, shape ``(D,)``
        Negative before the festival's first day; 0 outside all windows.
    """
    names, offsets = np.full(len(days), "", dtype=object), np.zeros(len(days), dtype=np.int64)
    nearness = np.full(len(days), np.inf)
    ordinal = days.to_numpy().astype("datetime64[D]").astype(np.int64)
    for year in range(days[0].year - 1, days[-1].year + 2):
        for key, day in _festivals(calendar, year):
            (low, high), (core_low, core_high) = _REACH.get(key, _USUAL)
            offset = ordinal - np.datetime64(day, "D").astype(np.int64)
            core = (offset >= core_low) & (offset <= core_high)
            distance = np.where(core, -1.0, np.abs(offset))
            mine = (offset >= low) & (offset <= high) & (distance < nearness)
            names[mine], offsets[mine], nearness[mine] = key, offset[mine], distance[mine]
    return names, offsets


def holiday_names(days: pd.DatetimeIndex, calendar: HolidayCalendar) -> NDArray:
    """Return what each day off is called, shape ``(D,)``; "" for the others.

    A day off that stands in for another has the name of the holiday it prolongs, so that one year's serves the next.
    """
    found = np.full(len(days), "", dtype=object)
    for i, moment in enumerate(days):
        day = moment.date()
        year = calendar.year(day.year)
        if day in year.off:
            found[i] = _name_of(day, calendar)
    return found


def _name_of(day: date, calendar: HolidayCalendar) -> str:
    name = calendar.year(day.year).names.get(day, "")
    if not name.lower().startswith("day off"):
        return _QUALIFIED.sub("", name)
    for distance in range(1, 9):
        for step in (-distance, distance):
            other = day + timedelta(days=step)
            near = calendar.year(other.year).names.get(other, "")
            if near and not near.lower().startswith("day off"):
                return _QUALIFIED.sub("", near)
    return "Day off"


def _festivals(calendar: HolidayCalendar, year: int) -> list[tuple[str, date]]:
    first: dict[str, date] = {}
    for day, joined in sorted(calendar.year(year).names.items()):
        for name in joined.split("; "):
            if not _PARTS.search(name):
                first.setdefault(_key(name), day)
    cores = [(day, _REACH[key][1]) for key, day in first.items() if key in _REACH]
    return sorted((found for found in first.items() if not _swallowed(*found, cores)), key=lambda found: found[1])


def _swallowed(key: str, day: date, cores: list) -> bool:
    # A lesser festival within a great one's days off (Mid-Autumn in the National Day week) has no window of its own.
    return key not in _REACH and any(low <= (day - great).days <= high for great, (low, high) in cores)


def _key(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", _QUALIFIED.sub("", name).lower()).strip("_")
    return _KEYS.get(slug, slug)
