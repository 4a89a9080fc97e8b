"""Situations: when other weights count (a high season, holidays, nights, an outage, a rush), and which.

A situation covers whole days, or hours of every day. On the days it covers its weights count in full; over the days
beside them they give way to the usual ones step by step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.periods import DAY_CLASSES
from svcanalytics.quality.weighting.occasions import find_dates, find_day_classes, find_minutes, years_named

__all__ = ["LEAST_PAST", "Load", "Situation", "check_situations", "strengths"]

LEAST_PAST = 28
"""Days with data that a day's past must hold to be compared with."""


@dataclass(frozen=True)
class Load:
    """Measured load that makes a situation: days on which `metric` is above a quantile of its own past.

    Parameters
    ----------
    metric : str
        A count of the catalogue, measured by day.
    above : float
        Quantile, 0-1.
    past_days : int
        How many days before the day make its past.
    """

    metric: str
    above: float = 0.9
    past_days: int = 90


@dataclass(frozen=True)
class Situation:
    """One situation: when it is, and the shares of the index it pins.

    Parameters
    ----------
    id : str
    pins : mapping of str to float
        Family or metric to its share of the index, 0-1, which holds exactly; the rest rescales in proportion.
    months : tuple of int
        Months of every year, 1-12.
    day_classes : tuple of str
        Of `periods.DAY_CLASSES`, on the calendar of `country`. "holiday" takes the weekend days beside it, too: a week
        off is one holiday.
    dates : tuple of str
        Days, periods or ranges, both ends included: "2026-03-02", "2026-06", "2026-05-01..2026-05-05", or every year
        "06-10..06-20".
    hours : str
        "22:00-06:00": part of every day. Such a situation takes its share of the day first.
    share : float, optional
        Share of a day's contacts inside `hours`, 0-1; None takes the hours' share of 24.
    load : Load, optional
        Follow measured load; `measured` then holds the days, once they are known.
    priority : int
        Where two situations cover one day, the higher one counts; the same priority is refused.
    transition_days : int
        Days before and after over which the weights move from and to the usual ones, by the same step every day.
    country : str
        ISO code of the calendar of `day_classes`.
    name : mapping of str to str
        Name by language.
    measured : frozenset of date, optional
        The days on which the load was high.
    """

    id: str
    pins: Mapping[str, float]
    months: tuple[int, ...] = ()
    day_classes: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    hours: str = ""
    share: float | None = None
    load: Load | None = None
    priority: int = 0
    transition_days: int = 7
    country: str = "CN"
    name: Mapping[str, str] = field(default_factory=dict)
    measured: frozenset[date] | None = None

    @property
    def part(self) -> float:
        """Share of a day that a situation of hours takes; 0 for one of whole days."""
        if not self.hours:
            return 0.0
        return float(find_minutes(self.hours).mean()) if self.share is None else self.share

    def covers(self, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Tell for every day whether the situation covers it as a whole.

        Raises
        ------
        CatalogueError
            When it follows measured load that nobody has measured yet.
        """
        found = np.isin(days.month, self.months)
        if self.day_classes:
            found |= find_day_classes(self.day_classes, self.country, days)
        for text in self.dates:
            found |= find_dates(text, days)
        if self.load and self.measured is None:
            raise CatalogueError(
                "follows measured load, which is not known yet",
                where=f"situation {self.id}",
                fix="read the profile with a lake, or pass it through follow_load first",
            )
        return found | np.isin(days.date, list(self.measured or ()))


def strengths(situations: Sequence[Situation], days: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Say how far each situation counts on each day; what is left of 1 is left to the usual weights.

    On a day it covers a situation of whole days counts in full, so that its pins hold exactly. Over the n =
    `transition_days` days before and after it counts n/(n+1), ..., 1/(n+1); where the next situation is nearer than
    that, n is the days between the two, and weights go straight from one to the other. So no step is greater than
    1/(n+1). A situation of hours takes its part of every day, the others share the rest of it.

    Parameters
    ----------
    situations : sequence of Situation
    days : pandas.DatetimeIndex
        Local days without gaps.

    Returns
    -------
    numpy.ndarray, shape (days, situations)
        0-1, adding up to 1 at most.

    Raises
    ------
    CatalogueError
        When two situations of the same priority cover one day.
    """
    whole = [number for number, s in enumerate(situations) if not s.hours]
    out = np.zeros((len(days), len(situations)))
    if whole:
        # What lies beyond the days asked for decides about their ramps, so it is looked at too.
        margin = 2 + max(situations[number].transition_days for number in whole)
        wide = pd.date_range(days[0] - pd.Timedelta(days=margin), days[-1] + pd.Timedelta(days=margin))
        chosen = [situations[number] for number in whole]
        out[:, whole] = _ramps(_owners(chosen, wide), chosen)[margin:-margin]
    parts = np.array([s.part for s in situations])
    return out * (1 - parts.sum()) + parts


def check_situations(situations: Sequence[Situation]) -> None:
    """Check what can be said before any data are seen.

    Raises
    ------
    CatalogueError
        For a situation that is never, dates that can't be read or overlap, and two situations of the same priority on
        the same day or hour.
    """
    for s in situations:
        where = f"situation {s.id}"
        if isinstance(s.dates, str) or not all(isinstance(text, str) for text in s.dates):
            raise CatalogueError("dates are no list of texts", where=where, fix='give ("2026-05-01..2026-05-05",)')
        if bool(s.months or s.day_classes or s.dates or s.load) == bool(s.hours):
            raise CatalogueError(
                "says not when it is" if not s.hours else "covers hours and days at once",
                where=where,
                fix="give hours alone, or any of months, day_classes, dates and load",
            )
        if unknown := sorted(set(s.day_classes) - set(DAY_CLASSES)):
            raise CatalogueError(
                f"there is no day class {unknown[0]!r}", where=where, fix=f"use one of: {', '.join(DAY_CLASSES)}"
            )
        if any(month not in range(1, 13) for month in s.months):
            raise CatalogueError("months are numbered 1 to 12", where=where, fix="correct the months")
        if s.transition_days < 0 or s.transition_days != int(s.transition_days):
            raise CatalogueError("transition_days is negative or no whole number", where=where, fix="give 0 or more")
        if s.load and not (0 < s.load.above < 1 and s.load.past_days >= LEAST_PAST):
            raise CatalogueError(
                f"load is above {s.load.above:g} of {s.load.past_days} past days",
                where=where,
                fix=f"give a quantile between 0 and 1, and {LEAST_PAST} days or more",
            )
        if s.share is not None and not (s.hours and 0 <= s.share <= 1):
            raise CatalogueError("share is the hours' share of a day", where=where, fix="give hours and 0 to 100")
        for text in s.dates:
            find_dates(text, pd.date_range("2026-01-01", periods=1), where)
    _check_hours([s for s in situations if s.hours])
    whole = [s for s in situations if not s.hours]
    twins = [s.id for s in whole if s.load and any(t is not s and t.priority == s.priority for t in whole)]
    if twins:
        raise CatalogueError(
            f"situation {twins[0]} follows measured load and may fall on the days of another",
            where=f"situation {twins[0]}",
            fix="give it a priority of its own",
        )
    for year in years_named([text for s in whole for text in s.dates]):
        days = pd.date_range(f"{year}-01-01", f"{year}-12-31")
        for s in whole:
            _check_dates(s, days)
        _owners([s for s in whole if not s.load], days)


def _owners(situations: Sequence[Situation], days: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return the number of the situation that each day belongs to, -1 for none."""
    owner = np.full(len(days), -1)
    for number in sorted(range(len(situations)), key=lambda n: situations[n].priority):
        mine = situations[number].covers(days)
        for other in range(len(situations)):
            both = mine & (owner == other)
            if both.any() and situations[other].priority == situations[number].priority:
                raise CatalogueError(
                    f"situations {situations[other].id} and {situations[number].id} both cover "
                    f"{days[both][0].date().isoformat()}",
                    where=f"situation {situations[number].id}",
                    fix="correct the dates, or give one of them a higher priority",
                )
        owner[mine] = number
    return owner


def _ramps(owner: NDArray[np.int64], situations: Sequence[Situation]) -> NDArray[np.float64]:
    out = np.zeros((len(owner), len(situations)))
    edges = np.flatnonzero(np.diff(owner)) + 1
    for run in np.split(np.arange(len(owner)), edges):
        if owner[run[0]] >= 0:
            out[run, owner[run[0]]] = 1.0
            continue
        before = owner[run[0] - 1] if run[0] > 0 else -1
        after = owner[run[-1] + 1] if run[-1] + 1 < len(owner) else -1
        steps = np.arange(1, len(run) + 1)
        for side, distance in ((before, steps), (after, steps[::-1])):
            if side >= 0:
                length = situations[side].transition_days
                if before >= 0 and after >= 0 and before != after:
                    length = min(length, len(run))
                x = np.clip(1 - distance / (length + 1), 0, 1)
                out[run, side] = np.maximum(out[run, side], x)
    return out


def _check_dates(situation: Situation, days: pd.DatetimeIndex) -> None:
    taken = np.full(len(days), "", dtype=object)
    for text in situation.dates:
        here = find_dates(text, days)
        clash = here & (taken != "")
        if clash.any():
            raise CatalogueError(
                f"dates {taken[clash][0]!r} and {text!r} overlap on {days[clash][0].date().isoformat()}",
                where=f"situation {situation.id}",
                fix="let each day stand in one of them",
            )
        taken[here] = text


def _check_hours(situations: Sequence[Situation]) -> None:
    taken = np.full(1440, "", dtype=object)
    for s in situations:
        here = find_minutes(s.hours, f"situation {s.id}")
        if (taken[here] != "").any():
            raise CatalogueError(
                f"situations {taken[here][taken[here] != ''][0]} and {s.id} cover the same hours",
                where=f"situation {s.id}",
                fix="let their hours follow one another",
            )
        taken[here] = s.id
    if sum(s.part for s in situations) > 1 + 1e-12:
        raise CatalogueError("shares of the hours add up to more than a day", where="situations", fix="lower share")
