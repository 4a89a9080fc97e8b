"""Our forecasts beside Prophet, statsforecast's MSTL and the eight-week average, from the same origins.

    SVC_REAL_DATA=folder make bench-forecast            # or python -m benchmarks forecast [--quick] [--only NAME ...]

Ours is `demand.backtest` with `model="auto"`, nothing set per queue but slot, country and known drivers. The peers'
forecasts are kept under benchmarks/.cache by version and data, and made again when either changes or with `--fresh`.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Memory, Parallel, delayed

from benchmarks import forecast_peers
from benchmarks.forecast_cases import Case, cases
from benchmarks.forecast_peers import PEERS, Task, run_peer, versions
from benchmarks.forecast_truths import Bound, gamma_days, make_up_days
from benchmarks.timing import CACHE
from svcanalytics import demand
from svcanalytics.demand import Arrivals

OURS = "svcanalytics auto"
memory = Memory(CACHE / "forecast", verbose=0)


def main(arguments: list[str]) -> int:
    """Run everything; return 0 when every bound holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks forecast")
    parser.add_argument("--quick", action="store_true", help="a fifth of the origins")
    parser.add_argument("--fresh", action="store_true", help="make the peers' forecasts again")
    parser.add_argument("--only", nargs="+", default=(), help="queues by name")
    parser.add_argument("--ours", action="store_true", help="leave the peers out")
    options = parser.parse_args(arguments)
    if options.fresh:
        memory.clear(warn=False)
    data = os.environ.get("SVC_REAL_DATA")
    print(", ".join(f"{name} {number}" for name, number in versions().items()))
    if not data:
        print("real queues left out: SVC_REAL_DATA names no folder")
    found = {}
    for case in cases(Path(data) if data else None, options.quick):
        if not options.only or case.name in options.only:
            found[case.name] = _measure(case, peers=case.compared and not options.ours)
    bounds = _conclude(found)
    if not options.only:
        bounds += make_up_days(peers=not options.ours, quick=options.quick)
        bounds += gamma_days(quick=options.quick)
    print(f"\n{'':5}{'what':60}{'measured':>10}{'bounds':>16}")
    for what, value, low, high in bounds:
        mark = "ok" if low <= value <= high else "MISS"
        print(f"{mark:5}{what:60}{value:10.2f}{low:9.2f}..{high:.2f}")
    return 0 if all(low <= value <= high for _, value, low, high in bounds) else 1


def _measure(case: Case, peers: bool) -> pd.DataFrame:
    """Backtest one queue with all methods; print and return the rows."""
    arrivals = case.arrivals
    began = time.perf_counter()
    ours = demand.backtest(arrivals, case.days, case.origins, case.step, progress=False)
    wall = time.perf_counter() - began
    ours = ours.assign(model=OURS, queue=case.name, start=ours["start"].dt.tz_localize(None))
    origins = ours["origin"].unique()
    seconds = {OURS: _own_seconds(arrivals, origins[-2:], case.days)}
    parts, cached = [ours], True
    if peers:
        tasks = {origin: _task(arrivals, case, ours, origin) for origin in origins}
        forecast = memory.cache(run_peer)
        held = (*sorted(versions().items()), Path(forecast_peers.__file__).read_text("utf-8"))
        jobs = [(name, origin) for name in PEERS for origin in origins]
        cached = all(forecast.check_call_in_cache(name, tasks[origin], held) for name, origin in jobs)
        results = Parallel(n_jobs=-1)(delayed(forecast)(name, tasks[origin], held) for name, origin in jobs)
        kept = ours.set_index(["origin", "start"])[["queue", "actual", "lead", "baseline", "scale"]]
        for (name, origin), (table, _) in zip(jobs, results, strict=True):
            rows = table.assign(model=name, origin=origin).join(kept, on=["origin", "start"])
            parts.append(rows)
        for name in PEERS:
            seconds[name] = np.mean([used for (by, _), (_, used) in zip(jobs, results, strict=True) if by == name])
    rows = pd.concat(parts, ignore_index=True)
    print(
        f"\n== {case.name} ({case.slot}; {case.origins} origins of {case.days} days; ours took {wall:.0f} s in all",
        end="",
    )
    print(f"; peers {'from the cache' if cached else 'run now'})" if peers else ")")
    print(_table(rows, seconds))
    return rows


def _table(rows: pd.DataFrame, seconds: dict[str, float]) -> str:
    found = demand.scores(rows)
    per_arrival = found["actual"]
    shown = pd.DataFrame({"method": found["model"]})
    for name, column in (("WAPE", "wape"), ("bias", "bias"), ("in 80", "coverage_80"), ("in 95", "coverage_95")):
        shown[name] = 100 * found[column]
    shown["score 80"] = 100 * found["interval_score_80"] / per_arrival
    shown["score 95"] = 100 * found["interval_score_95"] / per_arrival
    shown["pinball"] = 100 * found["pinball"] / per_arrival
    shown["floor"] = 100 * found["floor"]
    shown["s/fit"] = found["model"].map(seconds)
    return shown.round(2).to_string(index=False)


def _task(arrivals: Arrivals, case: Case, ours: pd.DataFrame, origin: pd.Timestamp) -> Task:
    """Give a peer what ours saw: counts in open slots before the origin, and the slots to forecast."""
    matrix = next(iter(arrivals.upto(origin).matrices.values()))
    row, slot = np.nonzero(matrix.open_slots & ~np.isnan(matrix.counts))
    starts = matrix.days.to_numpy()[row] + matrix.slots[slot].astype("timedelta64[s]")
    history = pd.DataFrame({"start": starts.astype("datetime64[ns]"), "arrivals": matrix.counts[row, slot]})
    ahead = pd.DatetimeIndex(ours.loc[ours["origin"] == origin, "start"]).as_unit("ns")
    return Task(history, ahead, case.country, case.drivers)


def _own_seconds(arrivals: Arrivals, origins: np.ndarray, days: int) -> float:
    used = []
    for origin in origins:
        history = arrivals.upto(origin)
        before = sum(os.times()[:4])
        demand.forecast(history, days=days)
        used.append(sum(os.times()[:4]) - before)
    return min(used)


def _conclude(found: dict[str, pd.DataFrame]) -> list[Bound]:
    """Print skill against the best peer and pooled coverage; return what was promised."""
    bounds: list[Bound] = []
    compared = {name: rows for name, rows in found.items() if len(rows["model"].unique()) > 1}
    if compared:
        bounds += _skill_bounds(compared)
    own = {name: rows[rows["model"] == OURS] for name, rows in found.items()}
    for level, reach in ((80, 3), (95, 2)):
        inside = {
            name: 100 * rows["actual"].between(rows[f"lower_{level}"], rows[f"upper_{level}"]).mean()
            for name, rows in own.items()
        }
        print(f"\ncoverage of {level} %: " + ", ".join(f"{name} {share:.0f}" for name, share in inside.items()))
        pooled = float(np.mean(list(inside.values())))
        bounds.append((f"coverage of {level} % pooled over {len(own)} queues", pooled, level - reach, level + reach))
    if "bank_calls" in found:
        bounds += _bank_bounds(found["bank_calls"])
    return bounds


def _skill_bounds(compared: dict[str, pd.DataFrame]) -> list[Bound]:
    excess = pd.DataFrame({name: _excess(rows) for name, rows in compared.items()}).clip(lower=1e-3)
    best = np.log(excess.loc[list(PEERS)]).mean(axis=1).idxmin()
    print(f"\n== Skill: (our WAPE - floor) / (peer's - floor); the peer that is best overall: {best}")
    lines = []
    for name, rows in compared.items():
        gap = demand.compare_models(rows, OURS, best).iloc[0]
        verdict = "worse" if gap["worse"] else "better" if gap["better"] else "within noise"
        points = {key: 100 * gap[key] for key in ("difference", "low", "high")}
        each = {f"vs {peer}": excess.loc[OURS, name] / excess.loc[peer, name] for peer in PEERS}
        lines.append({"queue": name, "skill": each[f"vs {best}"]} | points | {"verdict": verdict} | each)
    table = pd.DataFrame(lines)
    print(table.round(2).to_string(index=False))
    mean = float(np.exp(np.log(table["skill"].clip(lower=0.05)).mean()))  # no queue alone decides it
    worse = float((table["verdict"] == "worse").sum())
    return [("geometric mean of skill", mean, 0, 0.8), ("queues worse than chance allows", worse, 0, 0)]


def _bank_bounds(rows: pd.DataFrame) -> list[Bound]:
    found = demand.scores(rows).set_index("model")
    ours = found.loc[OURS]
    bounds = [
        ("bank_calls: WAPE (aim 4.8)", 100 * ours["wape"], 0, 5.3),
        ("bank_calls: coverage of 80 %", 100 * ours["coverage_80"], 74, 86),
        ("bank_calls: coverage of 95 %", 100 * ours["coverage_95"], 91, 99),
    ]
    for level in (80, 95):
        others = found.drop(OURS)[f"interval_score_{level}"]
        if len(others):
            ratio = ours[f"interval_score_{level}"] / others.min()
            bounds.append((f"bank_calls: interval score {level} over the best peer's", ratio, 0, 1))
    return bounds


def _excess(rows: pd.DataFrame) -> pd.Series:
    found = demand.scores(rows).set_index("model")
    return found["wape"] - found["floor"]
