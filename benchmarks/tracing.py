"""Tracing: the right layer for planted causes, artefacts caught at the gate, and silence where nothing is wrong.

Worlds of seeds 3000 up are reported; rules were made looking at seeds below 3000. Findings are given as planted (every
name of a cause in turn), so that it is the trace that is measured, not the search.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from benchmarks.causes_world import PLANTS, World, make_world
from benchmarks.timing import Result
from svcanalytics.causes.finding import Finding
from svcanalytics.causes.tracing import artefact_findings, five_why, relations, trace_all, with_circumstances
from svcanalytics.metrics.intervals import wilson_interval

SEED, WORLDS, QUIET, SERIES = 3000, 20, 40, 400
WRONG, MISSED, FALSE, SECONDS = 0.10, 0.05, 0.05, 1.0
_TOLD_BY_IDS = ("theme=", "transfers=", "skipped=", "rework=")


def run(worlds: int = WORLDS, quiet: int = QUIET, seed: int = SEED) -> list[Result]:
    """Return the shares of wrong layers, missed and false artefacts, empty chains and false relations, and the time."""
    verdicts, artefacts, seconds, caused = [], [], [], []
    for each in range(seed, seed + worlds):
        world = make_world(each)
        table, took = _verdicts(world)
        verdicts.append(table)
        seconds.append(took)
        planted = world.truth[world.truth["kind"] == "artefact"]
        caught = {(f.measure, f.where) for f in artefact_findings(world.material)}
        caused += [(row.measure, row.where) not in caught for row in planted.itertuples()]
        artefacts.append(len(caught - set(zip(planted["measure"], planted["where"], strict=True))))
    table = pd.concat(verdicts, ignore_index=True)
    wrong = ~table["right"]
    worst = table.groupby("cause")["right"].agg(["sum", "count"]).query("sum < count")
    named = ", ".join(f"{cause} {row['sum']}/{row['count']}" for cause, row in worst.iterrows())
    false, chains = [], []
    for each in range(seed + 1000, seed + 1000 + quiet):
        material = make_world(each, ()).material
        false.append(len(artefact_findings(material)) > 0)
        metric = sorted(material.outcomes)[each % len(material.outcomes)]
        chains.append(len(five_why(with_circumstances(material.outcomes[metric], material)).links) > 0)
    related = [_related(each) for each in range(seed, seed + SERIES)]
    return [
        _share("tracing: planted causes on a wrong layer or none", wrong, WRONG, f"of {len(wrong)}; {named}"),
        _share("tracing: planted artefacts that pass the gate", caused, MISSED, "of those planted"),
        Result("tracing: other artefacts told beside them", float(np.mean(artefacts)), 0.5, "a world"),
        _share("tracing: null quarters with an artefact", false, FALSE, "quarters"),
        _share("tracing: null quarters with a chain of whys", chains, FALSE + 0.02, "metrics, one a quarter"),
        _share("tracing: sets of 4 drifting series with a relation", related, FALSE + 0.02, "of 4 x 78 weeks"),
        Result("tracing: the findings of a world", float(np.median(seconds)), SECONDS, "s", "processor time, median"),
    ]  # fmt: skip


def _share(name: str, struck: pd.Series | list[bool], bound: float, detail: str) -> Result:
    count = int(np.sum(struck))
    low, high = (float(each) for each in wilson_interval(count, len(struck)))
    return Result(name, count / len(struck), bound, "share", f"{count} of {len(struck)} {detail}, {low:.3f}-{high:.3f}")


def _verdicts(world: World) -> tuple[pd.DataFrame, float]:
    findings, causes, ids = [], [], {}
    for cause in world.truth["cause"]:
        for where in PLANTS[cause].where:
            finding = Finding("segment", PLANTS[cause].measure, where, 0, 1.0, 0.0, 0.0, 0.0, 0.01)
            findings.append(finding)
            causes.append(cause)
            if any(name in where for name in _TOLD_BY_IDS):
                ids[finding.finding_id] = world.ids[cause]
    began = time.process_time()
    traces = trace_all(world.material, findings, ids)
    took = time.process_time() - began
    right = [each.verdict in PLANTS[cause].layers for cause, each in zip(causes, traces, strict=True)]
    return pd.DataFrame({"cause": causes, "right": right}), took


def _related(seed: int) -> bool:
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((128, 4))
    series = np.zeros_like(shocks)
    for week in range(1, len(shocks)):
        series[week] = 0.7 * series[week - 1] + shocks[week]
    times = pd.date_range("2025-01-06", periods=78, freq="7D")
    parts = [pd.DataFrame({"metric": f"m{i}", "start": times, "value": series[50:, i]}) for i in range(4)]
    return len(relations(pd.concat(parts))) > 0
