"""Explaining: the change of an index of 36 metrics over 5 dimensions of 50 groups, and what its verdicts promise.

Speed includes reading the measures, intervals and false discovery control.
The promises are measured on drawn quarters: how often a line's 95 % interval holds the truth, and how often any line of
a table is called certain although nothing changed (the seed is fixed; nothing was tuned on it).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.timing import Result
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, explain, profile
from svcanalytics.quality.change.margins import add_up

DIMENSIONS, GROUPS, CELLS = 5, 50, 5_000
SECONDS = 2.0
DRAWS = 1_000
PERIODS = ("2026-09", "2026-10")


def run(rounds: int = 3, draws: int = DRAWS) -> list[Result]:
    """Measure and return times (the median of the rounds), cover and false alarms."""
    of = profile("default")
    frames = [_measures(of, [(f"g{i}",) for i in range(GROUPS)], (f"d{d}",), seed=d) for d in range(DIMENSIONS)]
    tables, each = _timed(
        lambda: [explain(frame, of, *PERIODS[::-1], by=f"d{d}") for d, frame in enumerate(frames)], rounds
    )
    rng = np.random.default_rng(0)
    names = tuple(f"d{d}" for d in range(DIMENSIONS))
    cells = {tuple(f"g{code}" for code in rng.integers(0, GROUPS, DIMENSIONS)) for _ in range(CELLS)}
    crossed = _measures(of, sorted(cells), names, seed=9)
    table, together = _timed(lambda: [explain(crossed, of, *PERIODS[::-1], by=names)], rounds)
    tables += table
    off = max(abs(table["contribution"].sum() - table.attrs["change"]) for table in tables)
    cover, alarms = _promises(draws)
    detail = f"{len(of.metrics)} metrics, {sum(map(len, tables[:-1])):,} lines"
    low, high = min(cover.items(), key=lambda pair: pair[1]), max(cover.items(), key=lambda pair: pair[1])
    return [
        Result(f"explain: {DIMENSIONS} dimensions x {GROUPS} groups", each, SECONDS, "s", detail),
        Result(
            f"explain: {len(cells):,} cells of {DIMENSIONS} dimensions",
            together,
            2 * SECONDS,
            "s",
            f"{len(table[0]):,} lines",
        ),
        Result("explain: sum less change of the index", float(off) * 1e9, 1.0, "1e-9"),
        Result(
            "explain: 95 % intervals that miss, by kind, worst",
            1 - low[1],
            0.07,
            "share",
            f"{low[0]}; least {1 - high[1]:.3f} {high[0]}",
        ),
        Result(
            "explain: tables with a false certain line", alarms, 0.05, "share", f"{draws:,} quarters without a change"
        ),
    ]


def _timed(call: Callable[[], list[pd.DataFrame]], rounds: int) -> tuple[list[pd.DataFrame], float]:
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        tables = call()
        seconds.append(time.perf_counter() - began)
    return tables, statistics.median(seconds)


def _measures(of: Profile, groups: list[tuple[str, ...]], by: tuple[str, ...], seed: int) -> pd.DataFrame:
    rng, parts = np.random.default_rng(seed), []
    names = pd.DataFrame(groups, columns=list(by))
    for metric in of.metrics:
        posts = metric.goalposts
        for period in PERIODS:
            n = rng.integers(50, 500, len(groups))
            x = np.round(n * 1000 * (posts.floor + (posts.target - posts.floor) * rng.uniform(0.5, 1.1, len(groups))))
            value, half = x / n / 1000, 0.02 * abs(posts.target - posts.floor)
            part = names.assign(metric=metric.metric, period=period, value=value, low=value - half, high=value + half)
            parts.append(part.assign(n=n, numerator=x, denominator=n * 1000, flag=""))
    return pd.concat(parts, ignore_index=True)


_PROFILE = Profile(
    id="drawn",
    families={"response": 0.4, "resolution": 0.6},
    metrics=(
        ProfileMetric("answered", "response", 0.7, Goalposts(0.5, 0.9, 1.0)),
        ProfileMetric("abandoned", "response", 0.3, Goalposts(0.6, 0.1, 0.0, "down")),
        ProfileMetric("resolved", "resolution", 1.0, Goalposts(0.5, 0.95, 1.0)),
    ),
)
_RATES = {"answered": (0.6, 0.7, 0.75, 0.85), "abandoned": (0.15, 0.2, 0.3, 0.35), "resolved": (0.6, 0.7, 0.8, 0.85)}
_MOVES = {"answered": (0.05, -0.04, 0, 0.08), "abandoned": (0, 0.05, -0.05, 0), "resolved": (-0.05, 0.04, 0, 0)}
_SHARES = np.array([[0.4, 0.3, 0.2, 0.1], [0.3, 0.3, 0.2, 0.2]])


def _promises(draws: int) -> tuple[dict[str, float], float]:
    truth, rng, hits, alarms = _lines(_drawn(None, 1e8)), np.random.default_rng(1), [], 0
    for _ in range(draws):
        found = _lines(_drawn(rng, 600))
        hits.append(found["low"].le(truth["contribution"]) & found["high"].ge(truth["contribution"]))
        still = explain(_drawn(rng, 600, moved=False), _PROFILE, *PERIODS[::-1], by="team")
        alarms += bool(still["certain"].any())
    return pd.DataFrame(hits).mean().groupby(level=0).mean().to_dict(), alarms / draws


def _lines(frame: pd.DataFrame) -> pd.DataFrame:
    coarse = explain(add_up(frame), _PROFILE, *PERIODS[::-1])
    return pd.concat([coarse, explain(frame, _PROFILE, *PERIODS[::-1], by="team")]).set_index(["source", "key"])


def _drawn(rng: np.random.Generator | None, size: float, moved: bool = True) -> pd.DataFrame:
    """Draw four teams before and after; without a generator so many that sampling error is gone."""
    parts = []
    for metric, rates in _RATES.items():
        for side, period in enumerate(PERIODS):
            share = _SHARES[side if moved else 0]
            rate = np.array(rates) + (np.array(_MOVES[metric]) if side and moved else 0)
            n = share * size if rng is None else rng.multinomial(rng.poisson(size), share)
            x = n * rate if rng is None else rng.binomial(n, rate)
            low, high = wilson_interval(x, n)
            part = pd.DataFrame({"team": list("ABCD"), "value": x / n, "low": low, "high": high, "n": n})
            parts.append(part.assign(metric=metric, period=period, numerator=x, denominator=n, flag=""))
    return pd.concat(parts, ignore_index=True)
