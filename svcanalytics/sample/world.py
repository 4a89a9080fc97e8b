"""The frame everything is made up in: the days, the clock, the seed, and which causes are planted."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

import numpy as np
import pandas as pd

from svcanalytics.errors import ConfigError
from svcanalytics.periods import day_classes
from svcanalytics.sample.planted import CAUSES

__all__ = ["DAY", "TIMEZONE", "WorkClock", "World", "make_world"]

DAY = 86_400
"""Seconds of a day."""

TIMEZONE = "Asia/Shanghai"
"""The organisation's time zone; it knows no summer time in these years, so local arithmetic is safe."""

_EPOCH = datetime(1970, 1, 1)


class WorkClock:
    """Seconds of working time since the first day, and back: vectorised.

    Parameters
    ----------
    works : bool array, one per day
        Is the day worked.
    opens, closes : int
        Seconds of the day.
    """

    def __init__(self, works: np.ndarray, opens: int, closes: int) -> None:
        self.works, self.opens, self.length = works, opens, closes - opens
        self._before = np.concatenate([[0], np.cumsum(works) * self.length]).astype(np.int64)

    def elapsed(self, t: np.ndarray) -> np.ndarray:
        """Return working seconds from the first day to local second `t`."""
        day, second = np.divmod(np.asarray(t, np.int64), DAY)
        day = np.clip(day, 0, len(self.works) - 1)
        return self._before[day] + np.clip(second - self.opens, 0, self.length) * self.works[day]

    def after(self, t: np.ndarray, work_s: np.ndarray) -> np.ndarray:
        """Return the local second that lies `work_s` working seconds after `t`."""
        target = self.elapsed(t) + np.maximum(np.asarray(work_s, np.int64), 1)
        day = np.minimum(np.searchsorted(self._before, target, side="left"), len(self.works)) - 1
        return day * DAY + self.opens + target - self._before[day]


@dataclass(frozen=True)
class World:
    """Days, clock, seed and planted causes. Times are whole local seconds since the first day's midnight."""

    start: date
    end: date
    seed: int
    planted: frozenset[str]

    @property
    def n_days(self) -> int:
        """Number of days made up."""
        return (self.end - self.start).days + 1

    @property
    def cutoff(self) -> int:
        """The second at which the data stop: the midnight after the last day."""
        return self.n_days * DAY

    @cached_property
    def days(self) -> pd.DataFrame:
        """One row per day, with two months beyond the end so that work started before it can be laid out."""
        frame = day_classes(self.start, self.end + timedelta(days=61), "CN")
        day_class = frame["day_class"].to_numpy(dtype=object)
        return pd.DataFrame(
            {
                "day": frame["day"],
                "day_class": day_class,
                "weekday": frame["day"].dt.day_of_week.to_numpy(),
                "month": frame["day"].dt.month.to_numpy(),
                "works": np.isin(day_class, ["ordinary", "make_up", "eve", "bridge"]),
                "free": np.isin(day_class, ["weekend", "holiday", "substituted"]),
                "feast": np.isin(day_class, ["holiday", "substituted"]),
            }
        )

    @cached_property
    def office(self) -> WorkClock:
        """Working time of the expert teams: working days 08:30 to 18:00."""
        return WorkClock(self.days["works"].to_numpy(), 30_600, 64_800)

    @cached_property
    def desk(self) -> WorkClock:
        """Working time of the front desks: every day 08:00 to 21:00."""
        return WorkClock(np.ones(len(self.days), bool), 28_800, 75_600)

    def rng(self, part: str) -> np.random.Generator:
        """Return the part's own stream, so that planting a cause leaves every other part's chance untouched."""
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])

    def second(self, day: str | date) -> int:
        """Return the second of a day's midnight; negative before the first day."""
        day = date.fromisoformat(day) if isinstance(day, str) else day
        return (day - self.start).days * DAY

    def since(self, cause: str, t: np.ndarray) -> np.ndarray:
        """Tell for each second whether a planted cause works then; all False when it is not planted."""
        spec = CAUSES[cause]
        active = np.full(np.shape(t), cause in self.planted)
        if spec.since:
            active &= t >= self.second(spec.since)
        if spec.until:
            active &= t < self.second(spec.until)
        return active

    def stamps(self, t: np.ndarray, known: np.ndarray | bool = True) -> pd.Series:
        """Turn local seconds into aware times; NaT where not known, and from the data stop on."""
        t = np.asarray(t, np.int64)
        return self.later(np.where(np.broadcast_to(known, t.shape) & (t < self.cutoff), t, -1))

    def later(self, t: np.ndarray) -> pd.Series:
        """Turn local seconds into aware times, those to come too (due, booked); NaT where negative."""
        base = int((datetime.combine(self.start, time()) - _EPOCH).total_seconds())
        values = (np.asarray(t, np.int64) + base).astype("datetime64[s]").astype("datetime64[us]")
        values[np.asarray(t) < 0] = np.datetime64("NaT")
        return pd.Series(values).dt.tz_localize(TIMEZONE)

    def dates(self, day: np.ndarray, known: np.ndarray | bool = True) -> pd.Series:
        """Turn day numbers into dates; None where not known."""
        values = np.datetime64(self.start, "D") + np.asarray(day, np.int64)
        listed = values.astype(object)
        listed[~np.broadcast_to(known, listed.shape)] = None
        return pd.Series(listed, dtype=object)


def make_world(months: int, seed: int, end: date | str, planted: tuple[str, ...] | None) -> World:
    """Lay out the days: `months` whole months up to the month that `end` lies in (or ends).

    Raises
    ------
    ConfigError
        When `months` is too few, or a cause is unknown.
    """
    end = date.fromisoformat(end) if isinstance(end, str) else end
    if (end + timedelta(days=1)).day != 1:
        end = end.replace(day=1) - timedelta(days=1)
    if months < 3:
        raise ConfigError("the made-up organisation needs three months at least", where=f"months={months}")
    index = end.year * 12 + end.month - months
    start = date(index // 12, index % 12 + 1, 1)
    unknown = sorted(set(planted or ()) - set(CAUSES))
    if unknown:
        raise ConfigError(f"unknown cause {unknown[0]!r}", where="planted", fix=f"use some of {', '.join(CAUSES)}")
    return World(start, end, seed, frozenset(CAUSES if planted is None else planted))
