"""Verdicts: findings, or sets of cases of any frame, are traced on the three layers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.tracing.circumstances import describe_course, with_circumstances
from svcanalytics.causes.tracing.decomposition import Regression
from svcanalytics.causes.tracing.design import lay_out, outcome_of
from svcanalytics.causes.tracing.endings import list_done
from svcanalytics.causes.tracing.layers import LAYERS, conditions_of, layer_of
from svcanalytics.causes.tracing.shares import Change
from svcanalytics.causes.tracing.traces import LEAST_SHARE, Found, Trace, conclude
from svcanalytics.causes.tracing.within import stands_out
from svcanalytics.errors import CauseError

__all__ = ["cases_of", "locate", "trace", "trace_all", "trace_cases"]

_LEVEL = 0.05
_SHIFT = 0.05
"""What became more frequent by a smaller share of the cases isn't told."""


def trace(
    material: Material,
    finding: Finding,
    ids: Collection[object] | None = None,
    *,
    layers: Mapping[str, str] | None = None,
) -> Trace:
    """Trace one finding; `trace_all` says how, and is faster for several."""
    return trace_all(material, [finding], None if ids is None else {finding.finding_id: ids}, layers=layers)[0]


def locate(
    material: Material, finding: Finding, ids: Collection[object] | None = None
) -> tuple[str, dict[str, object]]:
    """Return the layer of a finding, and the evidence for it as plain values."""
    found = trace(material, finding, ids)
    return found.verdict, found.evidence()


def trace_all(
    material: Material,
    findings: Sequence[Finding],
    ids: Mapping[str, Collection[object]] | None = None,
    *,
    layers: Mapping[str, str] | None = None,
) -> list[Trace]:
    """Trace findings on the three layers.

    Each finding's excess is shared out among the circumstances of its cases (`Regression.share_out`): system and
    technology, operating rules and the way cases went, people. What the dimensions that name the cases speak for
    themselves ("version=3.2": data) is part of the evidence.

    Parameters
    ----------
    material : Material
        Where the findings come from.
    findings : sequence of Finding
        Of metrics of the material.
    ids : mapping of str to collection, optional
        By `finding_id` the ids of the cases it is about, of both periods, where ``where`` doesn't say so in dimensions.
    layers : mapping of str to str, optional
        Column to layer, for columns of one's own (see `layer_of_column`).

    Returns
    -------
    list of Trace
        In the order of the findings.

    Raises
    ------
    CauseError
        When a finding is of a metric the material hasn't, or its cases can't be told.
    """
    unknown = [f.measure for f in findings if f.measure not in material.outcomes]
    if unknown:
        raise CauseError(f"there are no cases of {unknown[0]!r}", where="findings", fix="give the material they are of")
    courses: dict[tuple[str, ...], pd.DataFrame] = {}
    found: dict[int, Found] = {}
    for metrics, endings in _alike(material, {f.measure for f in findings}):
        if endings not in courses:
            courses[endings] = describe_course(material.events, _earlier(material), endings)
        rows = with_circumstances(material.outcomes[metrics[0]], material, courses[endings])
        regression = Regression(lay_out(rows, layers=layers))
        for place, finding in enumerate(findings):
            if finding.measure in metrics:
                bad = outcome_of(material.outcomes[finding.measure], "bad")
                given = (ids or {}).get(finding.finding_id)
                inside = cases_of(rows, finding.where, material.events) if given is None else _named(rows, given)
                found[place] = _share(regression, bad, inside, finding.measure, finding.where, layers, rows)
    return conclude([found[place] for place in range(len(findings))])


def trace_cases(
    rows: pd.DataFrame,
    where: str,
    *,
    outcome: str = "bad",
    by: Sequence[str] | None = None,
    layers: Mapping[str, str] | None = None,
) -> Trace:
    """Trace a set of cases of a frame, without a material around it.

    Parameters
    ----------
    rows : DataFrame
        One row per case: the outcome, perhaps ``period`` ("now", "before"), ``agent``, and circumstances.
    where : str
        The set, as "team=B&channel=app".
    outcome : str
        A number, more is worse.
    by : sequence of str, optional
        Circumstances to look at; default all columns that can be.
    layers : mapping of str to str, optional
        Column to layer, for columns of one's own.

    Raises
    ------
    CauseError
        When a column is missing, or the outcome isn't a number.
    """
    bad = outcome_of(rows, outcome)
    regression = Regression(lay_out(rows, outcome, by=by, layers=layers))
    return conclude([_share(regression, bad, cases_of(rows, where), outcome, where, layers, rows)])[0]


def cases_of(rows: pd.DataFrame, where: str, events: pd.DataFrame | None = None) -> NDArray[np.bool_]:
    """Tell which rows a set of cases holds, shape ``(n,)``.

    "step=..." holds the cases that have a step of this name among `events`, when the rows have no such column.

    Raises
    ------
    CauseError
        When a dimension is no column of the rows.
    """
    inside = np.ones(len(rows), dtype=bool)
    for column, value in conditions_of(where):
        if column in rows.columns:
            said = rows[column].astype("object")
            inside &= said.where(said.notna(), "").map(str).eq(value).to_numpy()
        elif column in ("step", "activity") and events is not None and not events.empty:
            had = events.loc[events["activity"].astype(str).eq(value), "case_id"]
            case = rows["case_id"] if "case_id" in rows else rows["id"]
            inside &= case.isin(set(had)).to_numpy()
        else:
            raise CauseError(
                f"there is no column {column!r}", where=where, fix="give the ids of its cases, or name a dimension"
            )
    return inside


def _share(
    regression: Regression,
    bad: NDArray[np.float64],
    inside: NDArray[np.bool_],
    measure: str,
    where: str,
    layers: Mapping[str, str] | None,
    rows: pd.DataFrame,
) -> Found:
    own, layer = [column for column, _ in conditions_of(where)], layer_of(where, layers)
    design = regression.design
    shares = regression.share_out(bad, inside, own, layer)
    changes = [] if layer else _sure(regression.changes(inside, [*own, *shares.same])) or _newcomers(rows, inside)
    alike = {c.layer for c in design.columns if c.name in shares.alike} - {""}
    within: list[Change] = []
    least = LEAST_SHARE * shares.excess.amount
    told = [part for name, part in shares.parts.items() if name in LAYERS and part.amount >= least]
    if not layer and least > 0 and all(part.p_value >= _LEVEL for part in told):
        within = stands_out(rows, bad, inside, shares.layers, design.group, least, layers)
    n = int((inside & design.now).sum())
    return Found(measure, where, n, layer, shares, changes, alike.pop() if len(alike) == 1 else "", within)


def _sure(changes: list[Change]) -> list[Change]:
    kept = [c for c in changes if c.p_value < _LEVEL and abs(c.shift) >= _SHIFT]
    return sorted(kept, key=lambda c: (-abs(c.shift), c.column))


def _newcomers(rows: pd.DataFrame, inside: NDArray[np.bool_]) -> list[Change]:
    # Agents are few, and whoever moves takes all cases along: agents are counted, not cases (Fisher's exact test).
    from scipy.stats import hypergeom

    if not {"from_other_team", "agent", "period"} <= set(rows.columns):
        return []
    now = rows["period"].eq("now").to_numpy() & rows["agent"].notna().to_numpy()
    moved = rows["from_other_team"].to_numpy(dtype=bool)
    here = rows.loc[now & inside].groupby("agent")["from_other_team"].any()
    there = rows.loc[now & ~inside].groupby("agent")["from_other_team"].any()
    if here.sum() < 2 or not len(there):
        return []
    p = float(hypergeom.sf(here.sum() - 1, len(here) + len(there), here.sum() + there.sum(), len(here)))
    shift = float(moved[now & inside].mean() - moved[~now & inside].mean()) if (~now & inside).any() else 0.0
    if p >= _LEVEL or shift < _SHIFT:
        return []
    return [Change("from_other_team", "True", "people", shift, p)]


def _named(rows: pd.DataFrame, ids: Collection[object]) -> NDArray[np.bool_]:
    # Ids of rows or of cases: findings of texts and steps know the case.
    given = list(ids)
    inside = rows["id"].isin(given)
    return (inside | rows["case_id"].isin(given) if "case_id" in rows else inside).to_numpy()


def _alike(material: Material, metrics: Collection[str]) -> list[tuple[list[str], tuple[str, ...]]]:
    # Metrics of the same rows share their circumstances, unless a step is the outcome of one of them.
    done = list_done(material.events)
    out: list[tuple[list[str], tuple[str, ...]]] = []
    for metric in sorted(metrics):
        rows = material.outcomes[metric]
        endings = done.endings(rows["case_id"] if "case_id" in rows else rows["id"], outcome_of(rows, "bad"))
        for group, same in out:
            first = material.outcomes[group[0]]
            if endings == same and rows["id"].equals(first["id"]) and set(rows.columns) == set(first.columns):
                group.append(metric)
                break
        else:
            out.append(([metric], endings))
    return out


def _earlier(material: Material) -> pd.Series:
    rows = material.outcomes.values()
    cases = [each.loc[each["period"].eq("before"), "case_id" if "case_id" in each else "id"] for each in rows]
    return pd.concat(cases).drop_duplicates() if cases else pd.Series(dtype="object")
