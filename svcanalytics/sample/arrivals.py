"""When customers turn to the organisation: growth, season, weekday, holidays, time of day, and chance."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from svcanalytics.sample.planted import CAUSES
from svcanalytics.sample.world import DAY, World

__all__ = ["CHANNELS", "draw_arrivals", "expected_arrivals"]

_SLOTS = 48
_WEEKDAY = {
    "phone": (1.12, 1.05, 1.02, 1.0, 1.02, 0.80, 0.72),
    "chat": (1.05, 1.0, 1.0, 1.0, 1.02, 0.98, 0.95),
    "counter": (1.15, 1.0, 0.98, 0.98, 1.05, 0.55, 0.0),
    "written": (1.10, 1.05, 1.0, 1.0, 1.0, 0.85, 0.80),
}
_MONTH = (0.97, 0.88, 1.0, 0.98, 1.0, 1.0, 0.97, 1.0, 1.02, 1.0, 1.0, 1.08)


def _bumps(*peaks: tuple[float, float, float]) -> np.ndarray:
    # (hour, width in hours, height) each: a smooth day.
    hours = np.arange(_SLOTS) / 2 + 0.25
    return sum(height * np.exp(-0.5 * ((hours - hour) / width) ** 2) for hour, width, height in peaks)


def _open(profile: np.ndarray, opens: float, closes: float) -> np.ndarray:
    hours = np.arange(_SLOTS) / 2
    return np.where((hours >= opens) & (hours < closes), profile, 0.0)


_DAYTIME = _bumps((10.2, 1.4, 1.0), (15.3, 1.8, 0.85), (19.8, 1.2, 0.35))
_EVENING = _bumps((10.5, 2.0, 0.7), (15.5, 2.0, 0.7), (20.3, 1.8, 0.9))
_NIGHT = np.where(_open(np.ones(_SLOTS), 8, 21) > 0, 0.0, _bumps((22, 1.5, 1.0), (0, 2.0, 0.5), (7.3, 0.8, 0.7)) + 0.05)

# Channel: how many an ordinary day brings in the first month, weekday pattern, profile over the day.
CHANNELS = MappingProxyType(
    {
        "hotline": (66.0, "phone", _open(_DAYTIME + 0.08, 8, 21)),
        "english": (8.0, "phone", _open(_DAYTIME + 0.15, 8, 21)),
        "night": (6.0, "chat", _NIGHT),
        "chat": (35.0, "chat", _open(_EVENING + 0.1, 8, 21)),
        "counter_east": (13.5, "counter", _open(_bumps((10, 1.3, 1.0), (15, 1.6, 0.9)) + 0.1, 9, 17)),
        "counter_west": (10.0, "counter", _open(_bumps((10, 1.3, 1.0), (15, 1.6, 0.9)) + 0.1, 9, 17)),
        "counter_south": (7.5, "counter", _open(_bumps((10, 1.3, 1.0), (15, 1.6, 0.9)) + 0.1, 9, 17)),
        "app": (11.0, "written", _EVENING + 0.06),
        "web": (5.0, "written", _EVENING + 0.05),
        "mail": (3.0, "written", _DAYTIME + 0.05),
        "monitoring": (0.28, "chat", np.ones(_SLOTS)),
    }
)
"""Streams of arrivals by queue or, for what comes in writing, by channel."""


def _day_level(world: World, pattern: str) -> np.ndarray:
    days = world.days.iloc[: world.n_days]
    growth = 1 + 0.10 * np.arange(world.n_days) / 365.25
    level = growth * np.array(_MONTH)[days["month"].to_numpy() - 1]
    if "high_season" in world.planted:
        level = level * np.where(np.isin(days["month"], [6, 11]), CAUSES["high_season"].effect, 1.0)
    # A make-up working Sunday behaves nearly like a working day, a substituted Monday like a holiday.
    weekday = np.array(_WEEKDAY[pattern])[days["weekday"].to_numpy()]
    weekday = np.where(days["day_class"] == "make_up", 0.93, weekday)
    feast = days["feast"].to_numpy()
    closed = 0.0 if pattern == "counter" else 0.62
    level = level * np.where(feast, closed, weekday) * np.where(days["day_class"] == "eve", 0.9, 1.0)
    if "spring_festival" in world.planted:
        spring = feast & np.isin(days["month"], [1, 2]) & (days["day"].dt.day_of_year.to_numpy() > 10)
        level = level * np.where(spring, CAUSES["spring_festival"].effect / 0.62, 1.0)
    return level


def expected_arrivals(world: World, stream: str) -> np.ndarray:
    """Return the expected arrivals per day and half-hour, without the day's own chance: days x 48."""
    volume, pattern, profile = CHANNELS[stream]
    return volume * _day_level(world, pattern)[:, None] * (profile / profile.sum())[None, :]


def draw_arrivals(world: World, stream: str) -> np.ndarray:
    """Draw arrival seconds of a stream, ascending."""
    rng = world.rng(f"arrivals {stream}")
    busyness = rng.gamma(120, 1 / 120, world.n_days)
    counts = rng.poisson(expected_arrivals(world, stream) * busyness[:, None])
    slots = np.repeat(np.arange(counts.size), counts.ravel())
    seconds = slots * (DAY // _SLOTS) + rng.integers(0, DAY // _SLOTS, len(slots))
    return np.sort(seconds)
