"""Segments against 68 real incidents, a plain likelihood scan beside them; against made-up quarters whose causes are
known; and the cube beside two others of its kind.

Incidents are taken five-fold: the one setting (`strength`) is chosen on the other folds. `python -m benchmarks
segments`, with `$SVC_REAL_DATA` set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.causes_world import PLANTS, World, make_world
from benchmarks.timing import Result
from svcanalytics.causes import segments, segments_of_counts
from svcanalytics.causes.cube import build
from svcanalytics.causes.gathering.material import dimensions_of

__all__ = ["plain_scan", "run"]

_STRENGTHS = (5.0, 20.0, 80.0)
_FOLDS, _DRAWS = 5, 2000
_WORLDS, _FIRST_WORLD = 20, 3000
_CASES, _DIMENSIONS, _DEPTH = 100_000, 8, 3

Ranked = list[frozenset[str]]


def run() -> list[Result]:
    """Return the lines of the table."""
    return [*_incidents(Path(os.environ["SVC_REAL_DATA"]) / "segments"), *_quarters(), *_cubes()]


def plain_scan(leaves: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """Rank segments by the binomial likelihood ratio against the earlier rate shrunk to the whole (Kulldorff 1997)."""
    whole = leaves["bad_before"].sum() / leaves["total_before"].sum()
    leaves = leaves.assign(due=leaves["total"] * (leaves["bad_before"] + 20 * whole) / (leaves["total_before"] + 20))
    found = []
    for depth in (1, 2, 3):
        for chosen in combinations(by, depth):
            sums = leaves.groupby(list(chosen))[["bad", "total", "due"]].sum()
            sums = sums[(sums["total"] > 0) & (sums["bad"] > sums["due"])]
            q, e = (np.clip(sums[c] / sums["total"], 1e-9, 1 - 1e-9) for c in ("bad", "due"))
            gain = sums["bad"] * np.log(q / e) + (sums["total"] - sums["bad"]) * np.log((1 - q) / (1 - e))
            for key, value in gain.items():
                values = key if isinstance(key, tuple) else (key,)
                found.append((-value, depth, "&".join(f"{c}={v}" for c, v in zip(chosen, values, strict=True))))
    return [segment for _, _, segment in sorted(found)]


def _incidents(folder: Path) -> list[Result]:
    incidents = pd.read_csv(folder / "incidents.csv.gz")
    causes = pd.read_csv(folder / "causes.csv").groupby("incident")["cause"]
    truth = {name: {frozenset(text.split("&")) for text in part} for name, part in causes}
    leaves = {str(name): _leaves(part) for name, part in incidents.groupby("incident", sort=True)}
    names = list(leaves)
    plain = {name: _sets(plain_scan(*leaves[name])) for name in names}
    began = time.process_time()
    ours = {s: {n: _sets(segments_of_counts(*leaves[n], strength=s)["segment"]) for n in names} for s in _STRENGTHS}
    each = (time.process_time() - began) / len(_STRENGTHS) / len(names)
    chosen: dict[str, Ranked] = {}
    for fold in range(_FOLDS):
        others = [name for number, name in enumerate(names) if number % _FOLDS != fold]
        best = max(_STRENGTHS, key=lambda s: sum(_score({n: ours[s][n] for n in others}, truth, others)))
        chosen |= {name: ours[best][name] for number, name in enumerate(names) if number % _FOLDS == fold}
    draws = np.random.default_rng(0).integers(0, len(names), (_DRAWS, len(names)))
    drawn = np.array([[_score(each, truth, [names[i] for i in draw]) for each in (chosen, plain)] for draw in draws])
    low, high = np.quantile(np.concatenate([drawn, drawn[:, :1] - drawn[:, 1:]], axis=1), [0.025, 0.975], axis=0)
    mine, theirs = (np.array(_score(each, truth, names)) for each in (chosen, plain))
    out = []
    for k, (what, least, ahead) in enumerate((("F1 of the first", 0.70, 0.05), ("recall among three", 0.90, 0.04))):
        detail = f"{mine[k]:.3f} ({low[0, k]:.3f}-{high[0, k]:.3f})"
        out.append(Result(f"incidents: {what}, short of 1", 1 - mine[k], 1 - least, "share", detail))
        detail = f"plain {theirs[k]:.3f}, ahead by {mine[k] - theirs[k]:.3f} ({low[2, k]:.3f}-{high[2, k]:.3f})"
        out.append(Result(f"incidents: {what}, plain less ours", theirs[k] - mine[k], -ahead, "share", detail))
    return [*out, Result("incidents: one incident", each, 0.05, "s", f"{len(names)} incidents")]


def _leaves(part: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    leaves = pd.DataFrame([dict(pair.split("=") for pair in text.split("&")) for text in part["segment"]])
    by = list(leaves)
    counts = ["bad", "total", "bad_before", "total_before"]
    return leaves.join(part[counts].reset_index(drop=True)), by


def _sets(names: Sequence[str]) -> Ranked:
    return [_set(name) for name in list(names)[:3]]


def _score(told: dict[str, Ranked], truth: dict[str, set[frozenset[str]]], names: Sequence[str]) -> tuple[float, float]:
    """Return the F1 of the first segment and the recall of the first three, exact sets alone counting."""
    wanted = sum(len(truth[name]) for name in names)
    first = sum(len(truth[name] & set(told[name][:1])) for name in names)
    three = sum(len(truth[name] & set(told[name])) for name in names)
    return 2 * first / (len(names) + wanted), three / wanted


def _quarters() -> list[Result]:
    seeds = range(_FIRST_WORLD, _FIRST_WORLD + _WORLDS)
    false = [(table["p_value"] < 0.05).any() for seed in seeds for table in _told(make_world(seed, ())).values()]
    named, covered, off = 0, [], []
    planted = [name for name, plant in PLANTS.items() if plant.kind == "segment"]
    for seed in seeds:
        world = make_world(seed, planted)
        tables = _told(world)
        for cause in world.truth.to_dict("records"):
            table = tables[cause["measure"]]
            exact = table[(table["role"] == "cause") & (table["segment"].map(_set) == _set(cause["where"]))]
            named += len(exact)
            for row in exact.to_dict("records"):
                covered.append(row["low"] <= cause["excess"] <= row["high"])
                off.append(row["excess"] / cause["excess"] - 1)
    count = len(planted) * _WORLDS
    detail = f"{len(false)} metrics of {_WORLDS} quarters"
    return [
        Result("quarters: a metric without a cause in which one is named", np.mean(false), 0.07, "share", detail),
        Result("quarters: planted segments not named exactly", 1 - named / count, 0.2, "share", f"{count} segments"),
        Result(
            "quarters: 95 % intervals without the true excess", 1 - np.mean(covered), 0.1, "share", f"{named} named"
        ),
        Result("quarters: what is won, told too high by (median)", np.median(off), 0.25, "share", "winner's curse"),
    ]


def _told(world: World) -> dict[str, pd.DataFrame]:
    out = {}
    for metric, rows in world.material.outcomes.items():
        now, before = rows[rows["period"] == "now"], rows[rows["period"] == "before"]
        out[metric] = segments(now, "bad", dimensions_of(rows), before, at="at")
    return out


def _set(name: str) -> frozenset[str]:
    return frozenset(name.split("&"))


def _cubes() -> list[Result]:
    rng = np.random.default_rng(0)
    sizes = (4, 6, 8, 10, 12, 14, 16, 18)
    cases = pd.DataFrame({f"d{k}": rng.choice([f"v{v}" for v in range(s)], _CASES) for k, s in enumerate(sizes)})
    cases["bad"] = (rng.random(_CASES) < 0.1).astype("int64")
    by = [f"d{k}" for k in range(_DIMENSIONS)]
    seconds = {}
    for name, make in (("pandas", _by_pandas), ("duckdb", _by_duckdb), ("cube", _by_cube)):
        runs = []
        for _ in range(3):
            began = time.process_time()
            count, bad = make(cases, by)
            runs.append(time.process_time() - began)
        seconds[name], detail = min(runs), f"{count} segments, {bad:.0f} bad; processor time, best of 3"
    return [
        Result(f"cube of {_CASES:,} x {_DIMENSIONS}, depth {_DEPTH}", seconds["cube"], 0.3, "s", detail),
        *(
            Result(f"  beside {name}", seconds["cube"] / seconds[name], 1.0, "ratio", f"{seconds[name]:.2f} s")
            for name in ("duckdb", "pandas")
        ),
    ]


def _by_cube(cases: pd.DataFrame, by: list[str]) -> tuple[int, float]:
    bad = build(cases, by, _DEPTH).total(cases["bad"].to_numpy("float64"))
    return len(bad), bad.sum()


def _sets_of(by: list[str]) -> list[tuple[str, ...]]:
    return [chosen for depth in range(1, _DEPTH + 1) for chosen in combinations(by, depth)]


def _by_duckdb(cases: pd.DataFrame, by: list[str]) -> tuple[int, float]:
    import duckdb

    sets = ", ".join(f"({', '.join(chosen)})" for chosen in _sets_of(by))
    table = duckdb.sql(f"select {', '.join(by)}, sum(bad) as bad from cases group by grouping sets ({sets})").df()
    return len(table), table["bad"].sum()


def _by_pandas(cases: pd.DataFrame, by: list[str]) -> tuple[int, float]:
    cases = cases.astype(dict.fromkeys(by, "category"))
    parts = [cases.groupby(list(chosen), observed=True)["bad"].sum() for chosen in _sets_of(by)]
    return sum(map(len, parts)), float(sum(part.sum() for part in parts))
