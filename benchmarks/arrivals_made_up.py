"""Made-up arrivals with a known truth, of the kinds that forecasts meet in service: for tests and benchmarks.

Counts are Poisson with a rate that is the product of a level, its growth and shift, the season of the year, the
weekday, the calendar (holidays, make-up working days, billing days), a profile of the day, and gamma variation that a
whole day shares (Aldor-Noiman, Feigin and Mandelbaum 2009 write the demand of call centres like this).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

__all__ = ["COVERAGE_ONLY", "KINDS", "Kind", "draw"]

WEEK = (1.15, 1.05, 1.0, 0.98, 1.02, 0.55, 0.45)


@dataclass(frozen=True)
class Kind:
    """How a made-up queue behaves.

    `level` is arrivals per slot on a mean weekday; `growth` per year; `shift` = (days before the end, factor);
    `yearly` the amplitude of the year's season; `billing` = days of the month, each with `billing_factor`, the day
    after with half of it; `holiday` the factor on days off (0 closes the day); `make_up` tells that make-up days are
    weekdays in demand; `cv` and `memory` describe the day's gamma variation: standard deviation over mean, and the
    correlation from one day to the next on the scale of normal scores.
    """

    days: int
    level: float
    slot: str = "30min"
    opens: int = 7
    closes: int = 21
    week: tuple[float, ...] = (*WEEK[:5], 0, 0)
    cv: float = 0.06
    memory: float = 0.0
    growth: float = 0.0
    shift: tuple[int, float] | None = None
    yearly: float = 0.0
    billing: tuple[int, ...] = ()
    billing_factor: float = 1.4
    country: str | None = None
    holiday: float = 0.35
    make_up: bool = False
    last: str = "2026-10-30"
    origins: int = 8


KINDS = {
    "yearly season": Kind(1300, 900, "1D", week=WEEK, yearly=0.25, country="US", memory=0.4),
    "make-up days": Kind(1900, 1000, "1D", week=(1, 1, 1, 1, 1, 0.5, 0.5), cv=0.05, country="CN", make_up=True),
    "make-up days, hourly": Kind(420, 60, "1h", 8, 20, WEEK, country="CN", make_up=True, last="2026-10-25"),
    "growth": Kind(280, 80, growth=0.6, country="US", holiday=0),
    "level shift": Kind(220, 120, shift=(70, 0.7), cv=0.08),
    "low counts": Kind(200, 3, "1h", week=WEEK),
    "intermittent": Kind(240, 0.3, "1h", 8, 18, cv=0.3),
    "new queue": Kind(45, 40, "1h", 8, 20, cv=0.08, origins=5),
    "billing days": Kind(250, 100, "1h", 8, 18, billing=(1, 15), cv=0.05),
    "round the clock": Kind(180, 25, "1h", 0, 24, WEEK, cv=0.08),
}
"""What is compared with the peers; all but the new queue forecast from eight origins."""

COVERAGE_ONLY = {
    "gamma days, cv 0.10": Kind(180, 150, cv=0.10),
    "gamma days, cv 0.20": Kind(180, 60, "1h", 8, 18, cv=0.20),
    "gamma days with memory": Kind(200, 80, "1h", 8, 18, cv=0.12, memory=0.6),
    "Poisson alone": Kind(150, 30, cv=0),
    "quarter hours": Kind(100, 12, "15min", 9, 17, cv=0.1),
    "five thousand a day": Kind(300, 5000, "1D", week=WEEK, cv=0.07, memory=0.3),
    "ten a day": Kind(300, 10, "1D", week=(1, 1, 1, 1, 1, 0, 0)),
    "growth and season": replace(KINDS["yearly season"], growth=0.2, level=400),
}
"""More kinds, which only our own intervals are tried on."""


def draw(name: str, seed: int = 0) -> pd.DataFrame:
    """Return one queue of a kind: queue, start (local, naive), arrivals; closed slots and days have no row.

    Raises
    ------
    KeyError
        No such kind.
    """
    kind = (KINDS | COVERAGE_ONLY)[name]
    return simulate(name, kind, np.random.default_rng([seed, zlib.crc32(name.encode())]))


def simulate(queue: str, kind: Kind, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the arrivals of one queue."""
    days = pd.date_range(end=kind.last, periods=kind.days)
    slots = pd.to_timedelta(["0h"])
    if kind.slot != "1D":
        slots = pd.timedelta_range(f"{kind.opens}h", f"{kind.closes}h", freq=kind.slot, closed="left")
    rate = kind.level * day_rates(kind, days)[:, None] * _profile(len(slots))[None, :] * _gamma_days(kind, days, rng)
    is_open = np.repeat(rate.max(axis=1) > 0, len(slots))
    starts = (days.to_numpy()[:, None] + slots.to_numpy()[None, :]).ravel()
    frame = pd.DataFrame({"queue": queue, "start": starts, "arrivals": rng.poisson(rate).ravel()})
    return frame[is_open].reset_index(drop=True)


def day_rates(kind: Kind, days: pd.DatetimeIndex) -> np.ndarray:
    """Return what is expected of each day, as a multiple of the level, shape ``(D,)``."""
    weekday = days.day_of_week.to_numpy()
    rate = np.array(kind.week, float)[weekday]
    age = np.arange(len(days)) / 365.25
    rate = (
        rate
        * (1 + kind.growth) ** age
        * (1 + kind.yearly * np.cos(2 * np.pi * (days.day_of_year.to_numpy() / 365.25 - 0.1)))
    )
    if kind.shift:
        before, factor = kind.shift
        rate = np.where(np.arange(len(days)) >= len(days) - before, rate * factor, rate)
    if kind.billing:
        billed = np.isin(days.day, kind.billing)
        rate = rate * np.where(billed, kind.billing_factor, 1)
        rate = rate * np.where(np.isin((days - pd.Timedelta("1D")).day, kind.billing), (1 + kind.billing_factor) / 2, 1)
    if kind.country:
        import holidays

        calendar = holidays.country_holidays(kind.country, years=range(days[0].year, days[-1].year + 1))
        off = np.array([day in calendar for day in days])
        rate = np.where(off, kind.holiday * (kind.week[0] if kind.make_up else rate), rate)
        if kind.make_up:
            worked = np.array([calendar.is_working_day(day) for day in days])
            rate = np.where(worked & (weekday >= 5), kind.week[0], rate)
    return rate


def _profile(slots: int) -> np.ndarray:
    """Two humps, before and after noon, with mean 1."""
    if slots == 1:
        return np.ones(1)
    at = (np.arange(slots) + 0.5) / slots
    shape = 0.35 + np.exp(-(((at - 0.3) / 0.13) ** 2)) + 0.8 * np.exp(-(((at - 0.65) / 0.15) ** 2))
    return shape / shape.mean()


def _gamma_days(kind: Kind, days: pd.DatetimeIndex, rng: np.random.Generator) -> np.ndarray:
    """Draw each day's busyness: gamma with mean 1, its normal scores an AR(1)."""
    from scipy.stats import gamma, norm

    if kind.cv == 0:
        return np.ones((len(days), 1))
    scores = rng.standard_normal(len(days))
    for day in range(1, len(days)):
        scores[day] = kind.memory * scores[day - 1] + np.sqrt(1 - kind.memory**2) * scores[day]
    shape = kind.cv**-2
    return gamma.ppf(norm.cdf(scores), shape, scale=1 / shape)[:, None]
