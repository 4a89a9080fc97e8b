"""Situations: when other weights count (a high season, holidays, nights, an outage, a rush), and which.

A situation covers whole days, or hours of every day. On the days it covers its weights count in full; over the days
beside them they give way to the usual ones step by step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError, PeriodError
from svcanalytics.periods import DAY_CLASSES, day_classes, parse_period

__all__ = ["Load", "Situation", "check_situations", "pin", "strengths"]

_RECURRING = re.compile(r"(\d{2})-(\d{2})")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_RUN = pd.Timedelta(days=15)  # longer than any run of days off
_LEAP_YEAR = 2024  # a year to check situations in that name none


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
        return self._span() / 1440 if self.share is None else self.share

    def covers(self, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Tell for every day whether the situation covers it as a whole.

        Raises
        ------
        CatalogueError
            When it follows measured load that nobody has measured yet.
        """
        found = np.isin(days.month, self.months)
        if self.day_classes:
            found |= _of_class(self.day_classes, self.country, days)
        for text in self.dates:
            found |= _inside(text, days)
        if self.load and self.measured is None:
            raise CatalogueError(
                f"situation {self.id} follows measured load, which is not known yet",
                where=f"situation {self.id}",
                fix="read the profile with a lake, or pass it through follow_load first",
            )
        return found | np.isin(days.date, list(self.measured or ()))

    def _span(self) -> int:
        opens, closes = _minutes(self.hours)
        return (closes - opens) % 1440 or 1440

    def minutes(self) -> NDArray[np.bool_]:
        """Return which of a day's 1,440 minutes a situation of hours covers."""
        opens, _ = _minutes(self.hours)
        found = np.zeros(1440, dtype=bool)
        found[(opens + np.arange(self._span())) % 1440] = True
        return found


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


def pin(
    base: NDArray[np.float64], metrics: Sequence[str], families: Sequence[str], pins: Mapping[str, float], where: str
) -> NDArray[np.float64]:
    """Give families and metrics the shares that are pinned; the rest rescales in proportion.

    A pinned family rescales inside, so that its metrics keep their proportions; a metric pinned inside a pinned family
    takes its share of that, any other metric its share of the whole index.

    Parameters
    ----------
    base : numpy.ndarray, shape (metrics,)
        Usual shares of the index, adding up to 1.
    metrics, families : sequence of str, length metrics
        Name and family of each.
    pins : mapping of str to float
        Family or metric to its share of the index, 0-1.
    where : str
        For error messages.

    Raises
    ------
    CatalogueError
        For an unknown name and for pins that can't hold together.
    """
    family, metric = np.asarray(families), np.asarray(metrics)
    known = {*families, *metrics}
    for name, value in pins.items():
        if name not in known:
            raise CatalogueError(
                f"pins {name!r}, which is no family or metric of the profile",
                where=where,
                fix=f"use one of: {', '.join([*dict.fromkeys(families), *metrics])}",
            )
        if not 0 <= value <= 1:
            raise CatalogueError(f"pins {name!r} at {value:.6g}", where=where, fix="pin it between 0 and 100 percent")
    out, free = base.copy(), np.ones(len(base), dtype=bool)
    left = 1.0
    for name in (name for name in pins if name in set(families)):
        inside = family == name
        single = inside & np.isin(metric, list(pins))
        for each in metric[single]:
            out[metric == each] = pins[each]
        _fill(out, base, inside & ~single, pins[name] - sum(pins[m] for m in metric[single]), f"{where}.{name}")
        free &= ~inside
        left -= pins[name]
    for name in (name for name in pins if name not in set(families)):
        at = (metric == name) & free
        if at.any():
            out[at], free[at] = pins[name], False
            left -= pins[name]
    _fill(out, base, free, left, where)
    return out


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
        if any(not 1 <= month <= 12 for month in s.months):
            raise CatalogueError("months are numbered 1 to 12", where=where, fix="correct the months")
        if s.transition_days < 0:
            raise CatalogueError("transition_days is negative", where=where, fix="give 0 or more days")
        if s.share is not None and not (s.hours and 0 <= s.share <= 1):
            raise CatalogueError("share is the hours' share of a day", where=where, fix="give hours and 0 to 100")
        for text in s.dates:
            _inside(text, pd.date_range(f"{_LEAP_YEAR}-01-01", periods=1))
    _check_hours([s for s in situations if s.hours])
    whole = [s for s in situations if not s.hours]
    twins = [s.id for s in whole if s.load and any(t is not s and t.priority == s.priority for t in whole)]
    if twins:
        raise CatalogueError(
            f"situation {twins[0]} follows measured load and may fall on the days of another",
            where=f"situation {twins[0]}",
            fix="give it a priority of its own",
        )
    for year in sorted({year for s in whole for year in _years(s)} or {_LEAP_YEAR}):
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


def _fill(out: NDArray, base: NDArray, free: NDArray[np.bool_], amount: float, where: str) -> None:
    """Share `amount` out over the free metrics in proportion to their base; refuse what can't be."""
    if amount < -1e-12:
        raise CatalogueError(
            f"pins ask for {-100 * amount:.6g} percent more than there is", where=where, fix="lower the pins"
        )
    total = base[free].sum()
    if total <= 0 and amount > 1e-12:
        raise CatalogueError(
            f"pins leave {100 * amount:.6g} percent over, and nothing with a weight to take it",
            where=where,
            fix="let the pins add up to 100",
        )
    out[free] = base[free] / total * max(amount, 0.0) if total > 0 else 0.0


def _of_class(classes: Sequence[str], country: str, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    first, after = (days[0] - _RUN).date(), (days[-1] + pd.Timedelta(days=1) + _RUN).date()
    known = day_classes(first, after, country).set_index("day")["day_class"]
    found = known.isin(classes)
    if "holiday" in classes:
        off = known.isin(["holiday", "substituted", "weekend"])
        run = (off != off.shift()).cumsum()
        found |= (known == "weekend") & (known == "holiday").groupby(run).transform("any")
    return found.reindex(days).to_numpy()


def _inside(text: str, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    first, _, last = text.partition("..")
    try:
        if _RECURRING.fullmatch(first):
            opens, closes = (pd.Timestamp(f"{_LEAP_YEAR}-{end}") for end in (first, last or first))
            opens, closes = 100 * opens.month + opens.day, 100 * closes.month + closes.day
            number = 100 * days.month + days.day
            if opens <= closes:
                return np.asarray((number >= opens) & (number <= closes))
            return np.asarray((number >= opens) | (number <= closes))
        start, end = parse_period(first).start, parse_period(last or first).last
    except (PeriodError, ValueError):
        raise CatalogueError(
            f"{text!r} is not a day, period or range",
            where="situations",
            fix='write "2026-03-02", "2026-06", "2026-05-01..2026-05-05", or for every year "06-10..06-20"',
        ) from None
    if start > end:
        raise CatalogueError(f"{text!r} ends before it starts", where="situations", fix="turn it round")
    return np.asarray((days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end)))


def _check_dates(situation: Situation, days: pd.DatetimeIndex) -> None:
    taken = np.full(len(days), "", dtype=object)
    for text in situation.dates:
        here = _inside(text, days)
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
        if not _HOURS.fullmatch(s.hours) or max(_minutes(s.hours)) > 1440:
            raise CatalogueError(f"{s.hours!r} are no hours", where=f"situation {s.id}", fix='write "22:00-06:00"')
        here = s.minutes()
        if (taken[here] != "").any():
            raise CatalogueError(
                f"situations {taken[here][taken[here] != ''][0]} and {s.id} cover the same hours",
                where=f"situation {s.id}",
                fix="let their hours follow one another",
            )
        taken[here] = s.id
    if sum(s.part for s in situations) > 1 + 1e-12:
        raise CatalogueError("shares of the hours add up to more than a day", where="situations", fix="lower share")


def _minutes(hours: str) -> tuple[int, int]:
    numbers = [int(group) for group in _HOURS.fullmatch(hours).groups()]
    return 60 * numbers[0] + numbers[1], 60 * numbers[2] + numbers[3]


def _years(situation: Situation) -> set[int]:
    return {
        year
        for text in situation.dates
        if not _RECURRING.fullmatch(text.partition("..")[0])
        for first, _, last in [text.partition("..")]
        for year in (parse_period(first).start.year, parse_period(last or first).last.year)
    }
