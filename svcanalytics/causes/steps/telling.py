"""Findings from the process: steps that take longer, are skipped, come more often, again or in other order, priced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.steps.changes import Changes, changed_steps
from svcanalytics.causes.steps.costing import cost_of
from svcanalytics.causes.steps.discovery import read_steps

if TYPE_CHECKING:
    from svcanalytics.causes.gathering.material import Material

__all__ = ["step_findings"]

_SHOWN = 20
_LEVEL = 0.05
_FEWEST = 40  # rows of an outcome in each period
_PREFIX = "case_"


def step_findings(material: Material, seed: int = 0) -> tuple[list[Finding], dict[str, NDArray[np.object_]]]:
    """Find what changed in how cases are worked, and what it costs.

    The changes are those of `changed_steps`, whose p-values hold for all habits and places together; what each did to
    an outcome is that of `cost_of`. The p-value of a finding is the larger of the two, the second corrected for all
    changes and metrics it is asked of (Bonferroni).

    Parameters
    ----------
    material : Material
    seed : int

    Returns
    -------
    list of Finding
        Of kind "step", the most index points first; only what costs for sure, by its interval. Empty without events or
        without a baseline. details: kind (slow, done, again, order), activity, segment, usual and usual_before (median
        seconds at the step, or share), n_before.
    dict of str to numpy.ndarray of str
        By finding_id the ids of all cases of the period that it is about.
    """
    changes = _changes(material, seed)
    if changes is None:
        return [], {}
    found: list[tuple[Finding, NDArray[np.object_]]] = []
    asked = max(len(changes.table) * len(material.outcomes), 1)
    for metric, rows in material.outcomes.items():
        case = changes.cases.index.get_indexer(rows["case_id" if "case_id" in rows.columns else "id"].astype("object"))
        for number in range(len(changes.table)):
            found += _one(material, metric, rows, case, changes, number, asked)
    # A step that comes more often and takes longer too goes by one name; the larger finding stands for both.
    found.sort(key=lambda each: (-np.nan_to_num(each[0].points), each[0].p_value, each[0].measure, each[0].where))
    once = {finding.finding_id: (finding, ids) for finding, ids in reversed(found)}
    told = [finding for finding, _ in reversed(once.values())]
    return told, {key: ids for key, (_, ids) in once.items()}


def _changes(material: Material, seed: int) -> Changes | None:
    events = material.events
    if events.empty:
        return None
    if "period" in events.columns:
        side = events.groupby("case_id")["period"].first()
    else:
        begun = events.groupby("case_id")["at"].min()
        side = pd.Series(np.where(begun >= pd.Timestamp(material.period.start), "now", "before"), begun.index)
    if not {"now", "before"} <= set(side.unique()):
        return None
    steps = read_steps(events)
    period = steps["case_id"].astype("object").map(side).to_numpy()
    known = [name for name in events.columns if name.startswith(_PREFIX) and name != "case_id"]
    cases = events[["case_id", *known]].drop_duplicates("case_id").rename(columns=lambda name: _bare(name))
    return changed_steps(steps[period == "now"], steps[period == "before"], cases, level=_LEVEL, seed=seed)


def _bare(name: str) -> str:
    return name if name == "case_id" else name.removeprefix(_PREFIX)


def _one(
    material: Material,
    metric: str,
    rows: pd.DataFrame,
    case: NDArray[np.int64],
    changes: Changes,
    number: int,
    asked: int,
) -> list[tuple[Finding, NDArray[np.object_]]]:
    from svcanalytics.causes.gathering.pricing import points_of

    change = changes.table.iloc[number]
    habit, inside = changes.habits[change["habit"]], changes.inside[number]
    exposure = np.append(np.where(inside, habit.exposure, np.nan), np.nan)[case]  # the last is for rows without steps
    there = np.flatnonzero(~np.isnan(exposure))
    now = (rows["period"].to_numpy() == "now")[there]
    if min(now.sum(), (~now).sum()) < _FEWEST:
        return []
    bad = rows["bad"].to_numpy("float64")[there]
    day = changes.cases["day"].to_numpy("datetime64[D]").astype(np.int64)[case[there]]
    excess, low, high, p_value, telling = cost_of(exposure[there], bad, now, day)
    p_value = max(float(change["p_value"]), min(p_value * asked, 1.0))
    if low <= 0 or p_value > _LEVEL:
        return []
    points, least, most = (float(each) for each in points_of(material, metric, [excess, low, high]))
    ids = changes.cases.index.to_numpy("object")[case[there]]
    telling &= day >= np.datetime64(change["since"], "D").astype(np.int64)
    worst_first = ids[telling][np.argsort(-bad[telling], kind="stable")]
    done = exposure[there] >= 0 if habit.kind in ("slow", "done") else exposure[there] > 0
    about = ids[now & (done == bool(change["rise"] or habit.kind == "slow"))]
    finding = Finding(
        "step", metric, change["where"], int(change["n"]), excess, points, least, most, p_value, "process",
        pd.Timestamp(change["since"]), "", tuple(dict.fromkeys(worst_first))[:_SHOWN],
        {
            "kind": str(change["kind"]), "activity": str(change["activity"]), "segment": str(change["segment"]),
            "usual": float(change["usual"]), "usual_before": float(change["usual_before"]),
            "n_before": int(change["n_before"]),
        },
    )  # fmt: skip
    return [(finding, pd.unique(about))]
