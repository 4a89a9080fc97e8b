"""Comparing units: how often chance is named, how often rank sets hold the true places, who is found; speed.

Nothing was tuned on the seeds that are reported here. The bound of a share that may be 5 % is what it stays below with
probability 0.99 in so many months when it is exactly that.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.timing import Result
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, compare, compare_counts, funnel

MONTHS, INDEX_MONTHS, SEED = 2_000, 500, 77
SECONDS = 2.0
_PROFILE = Profile(
    "units",
    {"speed": 0.5, "solving": 0.5},
    (
        ProfileMetric("answered", "speed", 0.6, Goalposts(0.5, 0.9, 1.0)),
        ProfileMetric("wait", "speed", 0.4, Goalposts(200, 60, 0, "down")),
        ProfileMetric("resolved", "solving", 1.0, Goalposts(0.4, 0.8, 1.0)),
    ),
)


def run() -> list[Result]:
    """Simulate and return false names, cover, findings and seconds."""
    results = [
        _false_names("100 agents at 95 %", 100, 0.95, (30, 300)),
        _false_names("12 teams at 80 %", 12, 0.8, (300, 3000)),
        _false_index(),
    ]
    return [*results, *_rank_sets(), *_speed()]


def _false_names(name: str, units: int, rate: float, sizes: tuple[int, int]) -> Result:
    rng = np.random.default_rng(SEED)
    named = []
    for _ in range(MONTHS):
        n = rng.integers(*sizes, units)
        found = compare_counts(_counts(rng.binomial(n, rate), n))
        named.append(bool(found["stands_out"].ne("no").any()))
    share = 100 * float(np.mean(named))
    return Result(
        f"all alike, anybody named: {name}",
        share,
        _bound(MONTHS),
        "%",
        f"{MONTHS} months, {sizes[0]} to {sizes[1]} cases",
    )


def _false_index() -> Result:
    rng = np.random.default_rng(SEED + 1)
    named = []
    for _ in range(INDEX_MONTHS):
        n = rng.integers(50, 600, 40)
        wait = rng.normal(60, 40 / np.sqrt(n))
        half = 1.96 * 40 / np.sqrt(n)
        parts = [_rate("answered", rng.binomial(n, 0.9), n), _rate("resolved", rng.binomial(n, 0.8), n)]
        parts.append(parts[0].assign(metric="wait", value=wait, low=wait - half, high=wait + half, unit="s"))
        found = compare(pd.concat(parts, ignore_index=True), _PROFILE, "team")
        named.append(bool(found["stands_out"].ne("no").any()))
    share = 100 * float(np.mean(named))
    return Result("all alike, anybody named by the index", share, _bound(INDEX_MONTHS), "%", "40 teams")


def _rank_sets() -> list[Result]:
    """Twelve teams whose true rates spread over 10 points: all sets at once, and how many places they leave open."""
    rng = np.random.default_rng(SEED + 2)
    truth = np.linspace(0.78, 0.88, 12)
    place = 12 - np.arange(12)
    held, open_places, right, named = [], [], 0, 0
    for _ in range(MONTHS):
        n = rng.integers(200, 2000, 12)
        found = compare_counts(_counts(rng.binomial(n, truth), n)).sort_values("unit")
        low, high = (found[name].to_numpy(dtype="int64") for name in ("rank_low", "rank_high"))
        held.append(bool(((low <= place) & (place <= high)).all()))
        open_places.append(float((high - low + 1).mean()))
        side = np.where(truth > truth.mean(), "better", "worse")
        out = found["stands_out"].to_numpy()
        named += int((out != "no").sum())
        right += int((out == side).sum())
    missed = 100 * (1 - float(np.mean(held)))
    return [
        Result("a true place outside its set, any of 12 teams", missed, _bound(MONTHS), "%", f"{MONTHS} months"),
        Result("mean places left open of 12", float(np.mean(open_places)), 12.0, "places", ""),
        Result("named on the wrong side", 100 * (1 - right / named), 1.0, "%", f"{named / MONTHS:.1f} of 12 named"),
    ]


def _speed() -> list[Result]:
    rng = np.random.default_rng(SEED + 3)
    units, months = 237, 12
    n = rng.integers(500, 15_000, units * months)
    level = np.repeat(rng.beta(20, 80, units), months)
    counts = pd.DataFrame(
        {
            "unit": np.repeat([f"U{i:03}" for i in range(units)], months),
            "month": np.tile(np.arange(months), units),
            "numerator": rng.binomial(n, level),
            "denominator": n,
        }
    )
    rates = [_rate(m, rng.binomial(2000, 0.85, units), np.full(units, 2000)) for m in ("answered", "resolved")]
    measures = pd.concat(rates, ignore_index=True)
    return [
        Result("237 units, 12 months: places and funnel", _timed(lambda: _flow(counts)), SECONDS, "s"),
        Result("237 units by the index", _timed(lambda: compare(measures, _PROFILE, "team")), SECONDS, "s"),
    ]


def _flow(counts: pd.DataFrame) -> None:
    funnel(compare_counts(counts, direction="down", period="month"))


def _timed(call: Callable[[], object]) -> float:
    call()
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _counts(hits: np.ndarray, n: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"unit": [f"U{i:03}" for i in range(len(n))], "numerator": hits, "denominator": n})


def _rate(metric: str, hits: np.ndarray, n: np.ndarray) -> pd.DataFrame:
    low, high = wilson_interval(hits, n)
    frame = _counts(hits, n).rename(columns={"unit": "team"})
    return frame.assign(metric=metric, period="2026-10", value=hits / n, low=low, high=high, n=n, unit="share", flag="")


def _bound(months: int) -> float:
    return 5 + 100 * 2.33 * (0.05 * 0.95 / months) ** 0.5
