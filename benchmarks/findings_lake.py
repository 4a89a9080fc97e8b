"""Findings of whole lakes: the sample organisation of many seeds, loaded as a user would, and asked one quarter.

Of the causes planted in it those that set in within the third quarter of 2026 are looked for among its first fifteen
findings: `python -m benchmarks.findings_lake 101 102`. How many cases each touches is by lot and often small; what it
costs, in standard errors of its own cases against those before, says which can be seen at all.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.timing import CACHE, Result
from svcanalytics import causes, metrics, sample, store
from svcanalytics.causes.tracing.verdicts import cases_of
from svcanalytics.errors import CauseError

PERIOD, FIRST, MONTHS = "2026Q3", 15, 14
SEEDS = range(101, 105)
MISSED = 0.2
_SAME, _CLEAR = 0.5, 4.0
_NEW = {
    # The measures that show it, and the layers that are right: a version is technology, whatever rule let it out.
    "supplier_check": (("resolved_by_due", "sla_met_reported"), ("process",)),
    "reorganised_team": (("reopen_rate",), ("people",)),
    "inverted_kiosk": (("csat",), ("data",)),
    "shifted_clock": (("responded_15min", "first_response_time"), ("data",)),
    "faulty_version": (("repeat_case_7d", "complaint_rate"), ("data",)),
}


def run(seeds: range = SEEDS) -> list[Result]:
    """Return the share of causes missed among those that stand out by four standard errors, and the time of one."""
    judged, took = [], []
    for seed in seeds:
        found, seconds = _judge(seed)
        judged.append(found)
        took.append(seconds)
    table = pd.concat(judged, ignore_index=True)
    clear = table[table["standard_errors"] >= _CLEAR]
    right = clear["rank_right"].between(1, FIRST)
    missed = ", ".join(f"{r.cause} ({r.seed})" for r in clear[~right].itertuples())
    told = f"{len(clear)} of {len(table)} causes stand out; missed: {missed or 'none'}"
    return [
        Result(f"lakes: causes not in the first {FIRST} with layer", float(1 - right.mean()), MISSED, "share", told),
        Result(f"lakes: findings of {PERIOD}", float(np.median(took)), 10.0, "s", "median, processor time"),
    ]


def made_up_lake(seed: int) -> Path:
    """Return the lake of a seed, made once."""
    path = CACHE / "findings_lake" / str(seed)
    if not (path / "made").exists():
        shutil.rmtree(path, ignore_errors=True)
        lake = store.open(path, timezone="Asia/Shanghai", made_up=True)
        sample.load(lake, sample.organisation(MONTHS, seed, broken=True))
        (path / "made").touch()
    return path


def _judge(seed: int, *, show: bool = False) -> tuple[pd.DataFrame, float]:
    lake = store.open(made_up_lake(seed), create=False)
    began = time.process_time()
    table = causes.findings(lake, PERIOD)
    seconds = time.process_time() - began
    material = causes.gather(lake, PERIOD, measures=False)
    rows = []
    for cause, (measures, layers) in _NEW.items():
        touched = {measure: _touched(lake, measure, cause, material) for measure in measures}
        hits = [
            (rank, str(row["layer"]))
            for rank, row in enumerate(table.to_dict("records"), 1)
            if row["measure"] in touched and _same(material, row, touched[row["measure"]])
        ]
        right = [rank for rank, layer in hits if layer in layers]
        rank, layer = hits[0] if hits else (0, "")
        errors = max(_standard_errors(material, measure, ids) for measure, ids in touched.items())
        n = max(int(inside.sum()) for inside in touched.values())
        rows.append((seed, cause, n, round(errors, 1), rank, layer, right[0] if right else 0))
    judged = pd.DataFrame(rows, columns=["seed", "cause", "n", "standard_errors", "rank", "layer", "rank_right"])
    print(judged.to_string(index=False), f"\n{seconds:.1f} s", flush=True)
    if show:
        print(table.drop(columns=["cases", "details", "finding_id"]).to_string())
    return judged, seconds


def _touched(lake: store.Lake, measure: str, cause: str, material: causes.Material) -> pd.Series:
    """Return which rows are of the kind a planted cause works on: by id, True where it does so, False before it."""
    planted = sample.truth().set_index("cause").loc[cause]
    own = "survey_id" if planted["table"] == "surveys" else "case_id"
    columns = ["channel", "category", "owner_team", "site", "route", "product_version"]
    days = (material.baseline or material.period).start.isoformat(), material.period.last.isoformat()
    listed = metrics.list_rows(lake, [measure], [own, *columns], *days)[measure]
    test = planted["where"].replace(" = ", " == ").replace(" team ==", " owner_team ==")
    listed = listed.query(test)
    since, until = pd.Timestamp(planted["since"]), pd.Timestamp(planted["until"] or "2100-01-01")
    inside = listed["at"].ge(since) & listed["at"].lt(until)
    earlier = listed["at"] < since
    return pd.Series(inside.to_numpy(), listed[own].to_numpy())[(inside | earlier).to_numpy()]


def _same(material: causes.Material, finding: dict[str, object], touched: pd.Series) -> bool:
    """Tell whether a finding is about half the rows that a cause touches, or shows as many of them."""
    rows, named = material.outcomes[str(finding["measure"])], set(touched.index[touched])
    shown = [case in named for case in finding["cases"]]  # type: ignore[attr-defined]
    few, many = sorted((len(named), int(finding["n"])))  # type: ignore[call-overload]
    if shown and np.mean(shown) >= _SAME and few >= _SAME * many:
        return True
    try:
        inside = cases_of(rows, str(finding["where"]), material.events) & rows["period"].eq("now").to_numpy()
    except CauseError:  # a theme
        return False
    described = set(rows.loc[inside & rows["at"].ge(pd.Timestamp(material.period.start)).to_numpy(), "id"])
    return len(described & named) >= _SAME * len(described | named)


def _standard_errors(material: causes.Material, measure: str, touched: pd.Series) -> float:
    """Return by how many standard errors the rows that a cause touches went worse than such rows did before."""
    rows = material.outcomes[measure].set_index("id")["bad"].astype("float64")
    now, before = (rows[rows.index.isin(touched.index[each])] for each in (touched, ~touched))
    if len(now) < 2 or len(before) < 2:
        return 0.0
    spread = max(before.var(), before.mean() * (1 - before.mean()), 1e-6)
    return float((now.mean() - before.mean()) / np.sqrt(spread * (1 / len(now) + 1 / len(before))))


def main(arguments: list[str]) -> None:
    """Print the planted causes and the findings of seeds named."""
    for seed in map(int, arguments):
        _judge(seed, show=True)


if __name__ == "__main__":
    main(sys.argv[1:])
