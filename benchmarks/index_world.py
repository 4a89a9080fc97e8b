"""Made-up organisations with a known true index: shared cases, small surveys and audits, skewed durations, lucky days.

A case has some luck of its own that all its measures share, a day has some that all its cases share. Each metric sees a
random part of the cases: nearly all are answered, one in sixteen fills in a survey, one in fifty is audited. True
values lie anywhere between floor and beyond the goal, often exactly on a target, where goalposts bend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from svcanalytics.metrics.intervals import mean_interval, wilson_interval
from svcanalytics.quality import Goalposts, Profile, ProfileMetric

__all__ = ["PROFILE", "World", "make_world"]

# metric, family, weight in the family, share of cases it sees, goalposts
_RATES = (
    ("answered", "response", 0.40, 0.95, Goalposts(0.60, 0.90, 0.98)),
    ("in_time", "response", 0.35, 0.60, Goalposts(0.50, 0.85, 0.95)),
    ("first_contact", "resolution", 0.40, 0.70, Goalposts(0.50, 0.80, 0.90)),
    ("resolved", "resolution", 0.30, 0.90, Goalposts(0.60, 0.90, 0.97)),
    ("satisfied", "voice", 0.50, 0.06, Goalposts(0.50, 0.85, 0.95)),
    ("courteous", "voice", 0.30, 0.06, Goalposts(0.60, 0.95, 0.99)),
    ("complaint", "voice", 0.20, 0.95, Goalposts(0.20, 0.05, 0.01, "down")),
    ("compliant", "conduct", 0.60, 0.02, Goalposts(0.70, 0.95, 1.00)),
    ("form_correct", "conduct", 0.40, 0.10, Goalposts(0.70, 0.95, 0.99)),
)
_MEANS = (
    ("wait_s", "response", 0.25, 0.90, Goalposts(240, 60, 20, "down")),
    ("solve_s", "resolution", 0.30, 0.40, Goalposts(345_600, 86_400, 43_200, "down")),
    ("talk_s", "conduct", 0.00, 0.30, Goalposts(900, 420, 300, "down")),
)
_ALL = (*_RATES, *_MEANS)
_SIGMA = 1.0  # of the logarithm of a duration: the mean is 1.6 times the median
_DAYS, _CASES = 90, 40

PROFILE = Profile(
    id="bands",
    families={"response": 0.35, "resolution": 0.35, "voice": 0.2, "conduct": 0.1},
    metrics=tuple(ProfileMetric(name, family, weight, posts) for name, family, weight, _, posts in _ALL),
)


@dataclass(frozen=True)
class World:
    """One organisation: its measures by quarter and by day, and the true index of each quarter."""

    quarters: pd.DataFrame
    days: pd.DataFrame
    truth: np.ndarray


def make_world(
    seed: int, quarters: int, *, shared: float, lucky_days: float, gain: float = 0.0, cases: int = _CASES
) -> World:
    """Make up an organisation.

    Parameters
    ----------
    seed : int
    quarters : int
    shared : float
        Correlation of the luck of two measures of one case.
    lucky_days : float
        Standard deviation of a day's luck, where that of a case is 1.
    gain : float
        By how many points the true index is higher in the last quarter.
    cases : int
        A day.
    """
    rng = np.random.default_rng(seed)
    positions = np.tile(_positions(rng), (quarters, 1))
    if gain:
        positions[-1] = _better(positions[-1], gain)
    values = np.array([[_value(p, each[4]) for p, each in zip(row, _ALL, strict=True)] for row in positions])
    x, n, squares = _atoms(rng, values, shared, lucky_days, cases)
    starts = pd.date_range("2020-01-01", periods=quarters * _DAYS)
    names = [f"Q{number}" for number in range(quarters)]
    by_day = _frame(x.reshape(-1, len(_ALL)), n.reshape(-1, len(_ALL)), squares.reshape(-1, len(_ALL)), starts)
    by_quarter = _frame(x.sum(axis=1), n.sum(axis=1), squares.sum(axis=1), starts[::_DAYS], names)
    return World(by_quarter, by_day[by_day["n"] > 0], _true_index(positions))


def _positions(rng: np.random.Generator) -> np.ndarray:
    """Return where the metrics stand on the scale of scores; above 100 is beyond the goal."""
    anywhere = rng.uniform(40, 98, len(_ALL))
    kind = rng.random(len(_ALL))
    return np.select([kind < 0.25, kind < 0.375, kind < 0.5], [80.0, 100.0, 108.0], anywhere)


def _better(positions: np.ndarray, gain: float) -> np.ndarray:
    low, high = 0.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _true_index(positions + middle) < _true_index(positions) + gain else (low, middle)
    return positions + high


def _true_index(positions: np.ndarray) -> np.ndarray:
    weights = [PROFILE.families[m.family] * m.weight for m in PROFILE.metrics]
    return np.clip(positions, 0, 100) @ weights


def _value(position: float, posts: Goalposts) -> float:
    if position <= 100:
        return float(np.interp(position, [0, 80, 100], [posts.floor, posts.target, posts.goal]))
    # A rate can't pass 1, a duration not 0: half-way there.
    end = {True: 1.0, False: 0.0}[posts.direction == "up"]
    return posts.goal + (end - posts.goal) / 2 if posts.goal != end else posts.goal


def _atoms(
    rng: np.random.Generator, values: np.ndarray, shared: float, lucky_days: float, cases: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums, rows and sums of squares by quarter, day and metric."""
    count, metrics = values.shape
    luck = np.sqrt(shared) * rng.standard_normal((count, _DAYS, cases, 1), dtype="float32")
    luck = luck + np.sqrt(1 - shared) * rng.standard_normal((count, _DAYS, cases, metrics), dtype="float32")
    of_day = rng.standard_normal((count, _DAYS, 1, 1)) + rng.standard_normal((count, _DAYS, 1, metrics))
    luck = luck + lucky_days * np.sqrt(0.5) * of_day
    spread = np.sqrt(1 + lucky_days**2)
    seen = rng.random(luck.shape, dtype="float32") < [each[3] for each in _ALL]
    sums, squares = np.empty((count, _DAYS, metrics)), np.empty((count, _DAYS, metrics))
    for column, each in enumerate(_ALL):
        good = luck[..., column] if each[4].direction == "up" else -luck[..., column]
        value = values[:, None, None, column]
        if column < len(_RATES):
            number = good > -ndtri(value) * spread
        else:
            number = np.rint(value * np.exp(_SIGMA * good - (_SIGMA * spread) ** 2 / 2))
        number = np.where(seen[..., column], number, 0)
        sums[..., column], squares[..., column] = number.sum(axis=2), (number.astype("float64") ** 2).sum(axis=2)
    return sums, seen.sum(axis=2), squares


def _frame(
    x: np.ndarray, n: np.ndarray, squares: np.ndarray, starts: pd.DatetimeIndex, names: list[str] | None = None
) -> pd.DataFrame:
    parts = []
    for column, each in enumerate(_ALL):
        total, rows = x[:, column].astype("int64"), n[:, column]
        if column < len(_RATES):
            low, high = wilson_interval(total, rows)
            value = np.divide(total, rows, out=np.full(len(rows), np.nan), where=rows > 0)
            std = np.sqrt(value * (1 - value))
        else:
            low, high, std = mean_interval(rows, total, squares[:, column].astype("int64"))
            value = np.divide(total, rows, out=np.full(len(rows), np.nan), where=rows > 0)
        part = {"metric": each[0], "period": names or starts.strftime("%Y-%m-%d"), "start": starts, "value": value}
        sides = {"low": low, "high": high, "n": rows, "numerator": total, "denominator": rows, "std": std}
        parts.append(pd.DataFrame(part | sides))
    return pd.concat(parts, ignore_index=True)
